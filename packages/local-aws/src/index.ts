/** The public face: what the users of this package may import. */
export type { RequestRecord } from './api-gateway/request-record.ts';
export type { RespondBefore } from './api-gateway/server.ts';
export { type Database, startDatabase } from './dynamodb/engine.ts';
export { startDynamodbGate } from './dynamodb/gate.ts';
export { readPartitionKeys } from './dynamodb/permissions.ts';
export { createTable } from './dynamodb/table.ts';
export { LocalRunError } from './errors.ts';
export { createAccessControl } from './iam/access-control.ts';
export { readFunctions } from './lambda/functions.ts';
export {
  type LocalSecretsManager,
  type RotationStep,
  startSecretsManager,
} from './secrets-manager/server.ts';
export { type LocalStack, type LocalStackOptions, startLocalStack } from './stack.ts';
export { loadTemplate } from './template/assembly.ts';
export { createResolver } from './template/intrinsics.ts';
export { type Assembly, synthesize } from './template/synthesize.ts';
export { makeTemporaryDirectory } from './temporary-directory.ts';
