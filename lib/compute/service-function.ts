/** One Lambda function of the service: the house's runtime, bundling, role, log group, versions and alias. */
import { fileURLToPath } from 'node:url';
import { AssetHashType, DockerImage, type Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import type { Role } from 'aws-cdk-lib/aws-iam';
import {
  Alias,
  Architecture,
  type AssetCode,
  Code,
  type IFunction,
  type IVersion,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { EnvironmentOf, FunctionName } from '../../functions/contracts/environment.ts';
import { dataRemovalPolicy } from '../data/removal-policy.ts';
import type { UsersTable } from '../data/users-table.ts';
import type { StageSettings } from '../settings.ts';
import { bundleForStack } from './bundle.ts';
import type { EgressNetwork } from './egress-network.ts';
import { createFunctionRole } from './function-role.ts';

/** What every function of a stage is given. */
export interface StageFunctionProps {
  /** What the stage calls itself in log lines and metrics. */
  readonly service: string;
  readonly settings: StageSettings;
  readonly users: UsersTable;
}

export interface ServiceFunctionProps<N extends FunctionName> {
  /** Which function: the file `functions/<name>.ts`. */
  readonly name: N;
  /** What it does, as shown in the Lambda console. */
  readonly description: string;
  /** What the stage calls itself in log lines and metrics. */
  readonly service: string;
  /** Exactly the other variables that the function declares in `functions/contracts/environment.ts`. */
  readonly environment: Omit<EnvironmentOf<N>, 'POWERTOOLS_SERVICE_NAME'>;
  /** MB; CPU grows with it. */
  readonly memorySize: number;
  /** Lambda ends the invocation after it. */
  readonly timeout: Duration;
  /** What the stage says about all functions. */
  readonly settings: Pick<StageSettings, 'architecture' | 'tracing' | 'logRetentionDays' | 'protectData'>;
  /** Environments it has for itself. @default - what the account has left */
  readonly reservedConcurrency?: number | undefined;
  /** Environments that are always started. @default - none */
  readonly provisionedConcurrency?: number | undefined;
  /** The network it calls out of. @default - Lambda's own */
  readonly network?: EgressNetwork | undefined;
}

/** Beside everything that could be traced and is not. */
export const noTracing = 'The stage has turned it off: it costs, and not every region has it.';

/** Name of the alias, which API Gateway and other teams call instead of a version. */
const ALIAS = 'live';

/** The alias as CDK's other constructs take it, which its own type misses by an optional member. */
export type LiveAlias = Alias & IFunction;

/** A function with a role that may do nothing but write its own logs and traces, until something is granted to it. */
export class ServiceFunction<N extends FunctionName> extends Construct {
  readonly lambda: LambdaFunction;
  readonly role: Role;
  readonly logGroup: LogGroup;
  private readonly provisionedConcurrency: number | undefined;

  constructor(scope: Construct, id: string, props: ServiceFunctionProps<N>) {
    super(scope, id);
    const { settings, network } = props;
    this.provisionedConcurrency = props.provisionedConcurrency;
    const { role, logGroup } = createFunctionRole(
      this,
      settings.logRetentionDays,
      dataRemovalPolicy(settings),
    );
    this.role = role;
    this.logGroup = logGroup;
    this.lambda = new LambdaFunction(this, 'Function', {
      description: props.description,
      code: bundled(props.name),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: settings.architecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
      memorySize: props.memorySize,
      timeout: props.timeout,
      role,
      logGroup,
      environment: { ...props.environment, POWERTOOLS_SERVICE_NAME: props.service },
      // What Lambda has to say of each invocation is in its metrics and our own lines; what fails it says all the same.
      loggingFormat: LoggingFormat.JSON,
      systemLogLevelV2: SystemLogLevel.WARN,
      tracing: settings.tracing ? Tracing.ACTIVE : Tracing.DISABLED,
      ...(props.reservedConcurrency !== undefined && {
        reservedConcurrentExecutions: props.reservedConcurrency,
      }),
      ...network?.placement,
      // Old versions stay so that the alias can be pointed back. A rolled-back one is deleted: Lambda does not publish
      // the same code twice, so it could not be deployed again.
      currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE },
    });
    Validations.of(this.lambda).acknowledge({
      id: 'Serverless-LambdaDLQ',
      reason:
        'API Gateway and Secrets Manager wait for the response, and what the schedule does it does again in an hour: no event gets lost.',
    });
    if (!settings.tracing)
      Validations.of(this.lambda).acknowledge({ id: 'Serverless-LambdaTracing', reason: noTracing });
    if (settings.tracing)
      Validations.of(role).acknowledge({
        id: 'AwsSolutions-IAM5[Resource::*]',
        reason: 'Traces belong to no resource.',
      });
    network?.admit(this.lambda, role);
  }

  /** Publishes each change as a version, behind one alias for all callers. */
  publish(): LiveAlias {
    const version = this.lambda.currentVersion as IVersion;
    // On the alias: CodeDeploy moves it only once the new version has its environments.
    return new Alias(this, 'Live', {
      aliasName: ALIAS,
      version,
      ...(this.provisionedConcurrency !== undefined && {
        provisionedConcurrentExecutions: this.provisionedConcurrency,
      }),
    }) as LiveAlias;
  }

  /** What CloudWatch calls the requests that came through the alias. */
  get liveDimensions(): { readonly FunctionName: string; readonly Resource: string } {
    const { functionName } = this.lambda;
    return { FunctionName: functionName, Resource: `${functionName}:${ALIAS}` };
  }
}

const functions = fileURLToPath(new URL('../../functions', import.meta.url));

/** The bundle as an asset, which is named after what is in it: code that has not changed is not deployed again. */
function bundled(name: FunctionName): AssetCode {
  return Code.fromAsset(functions, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // CDK would run the command in the image if it could not bundle locally; here they only tell the functions apart.
      image: DockerImage.fromRegistry('none'),
      command: [name],
      local: {
        tryBundle(directory) {
          bundleForStack(name, directory);
          return true;
        },
      },
    },
  });
}
