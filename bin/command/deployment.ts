/** What a command learns from AWS about a deployed stage: what its parts are called, and who runs the command. */
import { GetParameterCommand, ParameterNotFound, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { type StageParameter, stageParameterName } from '../../lib/other-teams/stage-parameters.ts';
import { CommandError } from './errors.ts';
import { SECRET_ARN } from './secret.ts';

/** What the commands need some of the values to be. */
const shapes: Partial<Record<StageParameter, readonly [RegExp, string]>> = {
  issuer: [/^https?:\/\/[^?#\s]*[^?#\s/]$/, 'an http(s) URL without a slash at its end'],
  'key-ring-arn': [SECRET_ARN, 'the ARN of a secret'],
  'wechat-secrets-arn': [SECRET_ARN, 'the ARN of a secret'],
  'key-rotation-days': [/^[1-9]\d*$/, 'a whole number of days'],
};

/**
 * One of the values that a deployed stage publishes. Region and credentials come from the environment.
 *
 * @throws CommandError
 */
export async function stageValue(stage: string, parameter: StageParameter): Promise<string> {
  const Name = stageParameterName(stage, parameter);
  const client = new SSMClient();
  try {
    const { Parameter } = await client.send(new GetParameterCommand({ Name }));
    const value = Parameter?.Value ?? '';
    const [shape, words] = shapes[parameter] ?? [/./, 'a value'];
    if (!shape.test(value))
      throw new CommandError(
        `Parameter ${Name} is '${value}'; it must be ${words}: deploy stage '${stage}' again.`,
      );
    return value;
  } catch (error) {
    if (!(error instanceof ParameterNotFound)) throw failed(`look up ${Name}`, error);
    const region = await client.config.region();
    throw new CommandError(
      `There is no parameter ${Name} in ${region}: is stage '${stage}' deployed in this account and region?`,
    );
  } finally {
    client.destroy();
  }
}

/** The AWS principal who runs the command, and its clock. */
export interface Caller {
  /** ARN of the principal that the credentials in the environment belong to. */
  readonly arn: string;
  /** Where the command works. */
  readonly region: string;
  /**
   * Unix time in milliseconds by the clock of AWS, at most about a second ahead of it. The functions date logins by that
   * clock, and a revocation must be later than each of them, however slow the clock of this machine.
   */
  readonly now: () => number;
}

/**
 * Learns from AWS who runs the command, and what time it is.
 *
 * @throws CommandError
 */
export async function identifyCaller(): Promise<Caller> {
  const client = new STSClient();
  let ahead = Number.NaN;
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { headers } = result.response as { headers: Record<string, string> };
      // The header is cut to the second.
      ahead = Date.parse(headers.date ?? '') + 1000 - Date.now();
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'readDate' },
  );
  try {
    const { Arn } = await client.send(new GetCallerIdentityCommand());
    if (Arn === undefined) throw new CommandError('AWS does not say whose credentials these are.');
    if (Number.isNaN(ahead)) throw new CommandError('AWS does not say what time it is.');
    return { arn: Arn, region: await client.config.region(), now: () => Date.now() + ahead };
  } catch (error) {
    throw failed('learn from AWS whose credentials these are', error);
  } finally {
    client.destroy();
  }
}

/** These calls carry nothing confidential, so what AWS says about them can be shown. */
function failed(what: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof CommandError) return error;
  const forgotten =
    error.message === 'Region is missing' || error.name === 'CredentialsProviderError'
      ? ': set AWS_REGION and AWS_PROFILE, or what else the AWS CLI would take'
      : '';
  return new CommandError(`Could not ${what}: ${error.name}: ${error.message}${forgotten}`);
}
