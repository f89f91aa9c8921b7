/** What an account and a region must have before a stage can be deployed to them. */
import { APIGatewayClient, GetAccountCommand } from '@aws-sdk/client-api-gateway';
import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetParameterCommand, ParameterNotFound, SSMClient } from '@aws-sdk/client-ssm';
import type { StageSettings } from '../../lib/settings.ts';
import { type Check, Problem, Remark } from '../command/check.ts';
import type { CfnTemplate } from '../templates/service-spec.ts';
import { stackName } from '../templates/stack-name.ts';
import type { Deployed } from './deployed.ts';
import { lookedUp } from './looked-up.ts';

export interface AccountNeeds {
  readonly stage: string;
  readonly settings: StageSettings;
  readonly bootstrapVersion: number;
  readonly next: CfnTemplate;
  readonly deployed: Deployed | undefined;
}

export function accountChecks(needs: AccountNeeds): Check[] {
  return [
    { name: 'bootstrap', look: () => isBootstrapped(needs) },
    { name: 'Lambda concurrency', look: () => hasConcurrency(needs) },
    { name: 'API Gateway of the account', look: () => hasLogRole(needs) },
  ];
}

/** https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html */
const BOOTSTRAP_VERSION = '/cdk-bootstrap/hnb659fds/version';

async function isBootstrapped({ bootstrapVersion }: AccountNeeds): Promise<string> {
  const client = new SSMClient();
  try {
    const { Parameter } = await lookedUp(
      `parameter ${BOOTSTRAP_VERSION}`,
      client.send(new GetParameterCommand({ Name: BOOTSTRAP_VERSION })),
    );
    const version = Number(Parameter?.Value);
    if (version >= bootstrapVersion) return `version ${version}`;
    throw new Problem(
      `version ${Parameter?.Value} is older than ${bootstrapVersion}, which the stack needs: run npx cdk bootstrap`,
    );
  } catch (error) {
    if (error instanceof Problem && error.cause instanceof ParameterNotFound)
      throw new Problem('this account and region have none: run npx cdk bootstrap');
    throw error;
  } finally {
    client.destroy();
  }
}

/** Lambda keeps so many for functions that reserve none: https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html */
const ALWAYS_UNRESERVED = 100;

/** What accounts have that were not limited for being new: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const USUAL_CONCURRENCY = 1000;

const askForMore =
  'ask for more in Service Quotas (Lambda, Concurrent executions, L-B99A9384), which takes hours to days';

async function hasConcurrency({ next, deployed }: AccountNeeds): Promise<string> {
  const client = new LambdaClient();
  const { AccountLimit } = await lookedUp(
    'the concurrency of the account',
    client.send(new GetAccountSettingsCommand()),
  ).finally(() => client.destroy());
  const { ConcurrentExecutions: limit = 0, UnreservedConcurrentExecutions: unreserved = 0 } =
    AccountLimit ?? {};
  const reserved = reservedIn(next);
  const free = unreserved + (deployed === undefined ? 0 : reservedIn(deployed.template)) - ALWAYS_UNRESERVED;
  if (reserved > 0 && reserved > free)
    throw new Problem(
      `the stage reserves ${reserved}, and of ${limit} the account can give ${Math.max(free, 0)}, because ${ALWAYS_UNRESERVED} must stay unreserved: ${askForMore}, or set reservedConcurrency: {} and provisionedConcurrency: {} in lib/config.ts`,
    );
  if (limit < USUAL_CONCURRENCY)
    throw new Remark(
      `no more than ${limit} requests of all functions of the account run at once, and usual are ${USUAL_CONCURRENCY}: ${askForMore}`,
    );
  return `${limit}, of which ${unreserved} are not reserved`;
}

/** The concurrency that the functions of a template reserve; a provisioned one counts where none is reserved. */
function reservedIn({ Resources }: CfnTemplate): number {
  const reserved = Object.values(Resources).map(({ Properties }) =>
    Number(Properties?.ReservedConcurrentExecutions ?? 0),
  );
  const provisioned = Object.values(Resources).map(({ Properties }) => {
    const config = Properties?.ProvisionedConcurrencyConfig as { ProvisionedConcurrentExecutions?: number };
    const { Ref: id = '' } = (Properties?.FunctionName ?? {}) as { Ref?: string };
    const counted = Resources[id]?.Properties?.ReservedConcurrentExecutions !== undefined;
    return counted ? 0 : Number(config?.ProvisionedConcurrentExecutions ?? 0);
  });
  return [...reserved, ...provisioned].reduce((sum, each) => sum + each, 0);
}

async function hasLogRole({ stage, settings }: AccountNeeds): Promise<string> {
  const client = new APIGatewayClient();
  const { cloudwatchRoleArn: role, throttleSettings } = await lookedUp(
    'the settings of API Gateway',
    client.send(new GetAccountCommand()),
  ).finally(() => client.destroy());
  // The role's name is generated, and begins with that of its stack.
  const own = role?.includes(`/${stackName(stage)}-`) === true;
  if (!settings.apiGatewayLogRole && !role)
    throw new Problem(
      'it has no role to write logs with, and the stage sets none: set apiGatewayLogRole: true in lib/config.ts',
    );
  if (settings.apiGatewayLogRole && role && !own)
    throw new Remark(
      `it writes the logs of all APIs with ${role}, and the deployment puts another role in its place: set apiGatewayLogRole: false in lib/config.ts to keep it`,
    );
  const { requestsPerSecond } = settings.throttle;
  const { rateLimit } = throttleSettings ?? {};
  if (rateLimit !== undefined && rateLimit < requestsPerSecond)
    throw new Remark(
      `all APIs of the account share ${rateLimit} requests a second, fewer than the ${requestsPerSecond} of 'throttle': ask for more in Service Quotas (API Gateway, Throttle rate)`,
    );
  return role ? `logs with ${role}` : 'gets its role for logs from this stage';
}
