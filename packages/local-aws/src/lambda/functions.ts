/** Reads the functions out of a template, each with its bundle and the variables that it has in the cloud. */

import { statSync } from 'node:fs';
import { LocalRunError, unsupported } from '../errors.ts';
import { type Json, objectOrEmpty } from '../json.ts';
import { REGION } from '../template/account.ts';
import type { Resolver } from '../template/intrinsics.ts';
import { refuseUnknown } from '../template/properties.ts';
import type { FunctionSpec } from './environment.ts';

/** Where the emulated services listen; a function finds them through the SDK's own variables. */
export interface ServiceEndpoints {
  readonly dynamodb?: string;
  readonly secretsManager?: string;
}

/** Environments per function unless the function reserves fewer. */
const DEFAULT_MAX_ENVIRONMENTS = 4;

const known = {
  emulated:
    'Code Environment FunctionName Handler MemorySize ReservedConcurrentExecutions Role Runtime Timeout',
  ignored:
    'Architectures Description EphemeralStorage KmsKeyArn LoggingConfig RecursiveLoop RuntimeManagementConfig Tags TracingConfig VpcConfig',
};

/**
 * The template's functions.
 *
 * @param maxEnvironments how many environments of one function may run at once. Default: 4
 * @throws LocalRunError naming the function and the property that is unknown, or the bundle that is missing
 */
export function readFunctions(
  resolver: Resolver,
  endpoints: ServiceEndpoints,
  maxEnvironments = DEFAULT_MAX_ENVIRONMENTS,
): readonly FunctionSpec[] {
  return resolver.resourcesOf('AWS::Lambda::Function').map(({ logicalId, properties }) => {
    refuseUnknown(logicalId, properties, known);
    if (properties.Runtime !== 'nodejs24.x')
      throw unsupported(`${logicalId}.Runtime`, `${JSON.stringify(properties.Runtime)} (only nodejs24.x)`);
    const names = resolver.names(logicalId);
    const name = String(names.ref);
    const memory = number(properties.MemorySize, 128);
    const handler = String(properties.Handler ?? '');
    const directory = bundleOf(resolver, logicalId, properties.Code);
    const reserved = reservedVariables({ logicalId, name, memory, handler, directory }, endpoints);
    return {
      logicalId,
      name,
      arn: String(names.attributes.Arn),
      directory,
      handler,
      timeoutMs: number(properties.Timeout, 3) * 1000,
      maxEnvironments: Math.min(
        maxEnvironments,
        number(properties.ReservedConcurrentExecutions, maxEnvironments),
      ),
      environment: { ...reserved, ...variablesOf(logicalId, properties.Environment, reserved) },
    };
  });
}

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
function reservedVariables(
  fn: { logicalId: string; name: string; memory: number; handler: string; directory: string },
  endpoints: ServiceEndpoints,
): Record<string, string> {
  return {
    _HANDLER: fn.handler,
    AWS_DEFAULT_REGION: REGION,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(fn.memory),
    AWS_LAMBDA_FUNCTION_NAME: fn.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_REGION: REGION,
    LAMBDA_TASK_ROOT: fn.directory,
    LANG: 'en_US.UTF-8',
    PATH: '/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin',
    TZ: ':UTC',
    // The emulated services know a function by its key id, and check what its role allows.
    AWS_ACCESS_KEY_ID: fn.logicalId,
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_SESSION_TOKEN: 'local',
    ...(endpoints.dynamodb === undefined ? {} : { AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb }),
    ...(endpoints.secretsManager === undefined
      ? {}
      : { AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.secretsManager }),
  };
}

function variablesOf(
  logicalId: string,
  environment: Json | undefined,
  reserved: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(objectOrEmpty(objectOrEmpty(environment).Variables)).map(([name, value]) => {
      const where = `${logicalId}.Environment.${name}`;
      if (Object.hasOwn(reserved, name) && name !== 'LANG' && name !== 'PATH' && name !== 'TZ')
        throw new LocalRunError(`${where}: Lambda sets this variable itself and refuses it in a template.`);
      if (typeof value === 'object')
        throw new LocalRunError(`${where}: a variable must be text, not ${JSON.stringify(value)}.`);
      return [name, String(value)];
    }),
  );
}

function bundleOf(resolver: Resolver, logicalId: string, code: Json | undefined): string {
  const key = objectOrEmpty(code).S3Key;
  if (typeof key !== 'string') throw unsupported(`${logicalId}.Code`, 'code that is not a CDK asset');
  const directory = resolver.template.assets.get(key);
  if (directory === undefined)
    throw new LocalRunError(`${logicalId}.Code: the cloud assembly has no asset ${key}.`);
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory())
    throw new LocalRunError(`${logicalId}.Code: the bundle ${directory} is not a directory.`);
  return directory;
}

function number(value: Json | undefined, otherwise: number): number {
  return value === undefined ? otherwise : Number(value);
}
