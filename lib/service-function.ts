/** One Lambda function of the service: the house's runtime, bundling, role and log group. */
import { fileURLToPath } from 'node:url';
import { type Duration, Validations } from 'aws-cdk-lib';
import type { Role } from 'aws-cdk-lib/aws-iam';
import { Architecture, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Charset, NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import type { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { EnvironmentOf, FunctionName } from '../functions/environment.ts';
import { bundleOptions } from './bundle-options.ts';
import { createFunctionRole } from './function-role.ts';

/** Settings of a {@link ServiceFunction}. */
export interface ServiceFunctionProps<N extends FunctionName> {
  /** Which function: the file `functions/<name>.ts`. */
  readonly name: N;
  /** What it does, as shown in the Lambda console. */
  readonly description: string;
  /** What it calls the service in its log lines and metrics. */
  readonly serviceName: string;
  /** Exactly the other variables that the function declares in `functions/environment.ts`. */
  readonly environment: Omit<EnvironmentOf<N>, 'POWERTOOLS_SERVICE_NAME'>;
  /** In MB; CPU grows with it. */
  readonly memorySize: number;
  /** After this the invocation is ended. */
  readonly timeout: Duration;
  /** Days its logs are kept. */
  readonly logRetentionDays: RetentionDays;
}

/** A bundle carries its own SDK, minified from the ES modules: the cold start is a third of the runtime's SDK. */
const { external, ...shared } = bundleOptions;
const bundling = {
  ...shared,
  format: OutputFormat.ESM,
  charset: Charset.UTF8,
  bundleAwsSDK: true,
  externalModules: external,
};

/** A function with a role that may do nothing but write its own logs, until something is granted to it. */
export class ServiceFunction<N extends FunctionName> extends Construct {
  readonly lambda: NodejsFunction;
  readonly role: Role;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: ServiceFunctionProps<N>) {
    super(scope, id);
    const { role, logGroup } = createFunctionRole(this, props.logRetentionDays);
    this.role = role;
    this.logGroup = logGroup;
    this.lambda = new NodejsFunction(this, 'Function', {
      description: props.description,
      entry: fileURLToPath(new URL(`../functions/${props.name}.ts`, import.meta.url)),
      handler: 'handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: props.memorySize,
      timeout: props.timeout,
      role,
      logGroup,
      environment: { ...props.environment, POWERTOOLS_SERVICE_NAME: props.serviceName },
      // The variable is for SDK v2 only.
      awsSdkConnectionReuse: false,
      bundling,
    });
    Validations.of(this.lambda).acknowledge({
      id: 'Serverless-LambdaDLQ',
      reason:
        'API Gateway and Secrets Manager wait for the answer: a failure is theirs to see, and no event gets lost.',
    });
  }
}
