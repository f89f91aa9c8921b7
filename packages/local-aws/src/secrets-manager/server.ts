/**
 * Secrets Manager, emulated, so that functions use the real SDK client and rotation runs its real four steps on this
 * machine. Six operations of the API are known; the others are refused by name.
 *
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html
 */

import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { LocalRunError } from '../errors.ts';
import { type AccessControl, accessKeyIdOf, type NeededPermission } from '../iam/access-control.ts';
import { listenOnLoopback } from '../loopback-server.ts';
import { REGION } from '../template/account.ts';
import {
  attachStage,
  createSecret,
  describeSecret,
  findVersion,
  getSecretValue,
  type Input,
  type Operation,
  optionalText,
  putSecretValue,
  type Secret,
  ServiceError,
  tagResource,
  unixNow,
  updateSecretVersionStage,
} from './versions.ts';

/** A secret of the template with its first value. */
interface SecretSeed {
  readonly arn: string;
  readonly name: string;
  readonly value: string;
  /** ARN of the KMS key it is encrypted with. Default: the one that AWS manages, which everybody may use. */
  readonly keyArn?: string | undefined;
}

/** What the service sends to a rotation function, once for each step. */
export interface RotationStep {
  readonly SecretId: string;
  readonly ClientRequestToken: string;
  readonly Step: 'createSecret' | 'setSecret' | 'testSecret' | 'finishSecret';
}

export interface SecretsManagerOptions {
  readonly secrets: readonly SecretSeed[];
  /** Invokes the rotation function of a secret. Default: no secret can be rotated. */
  readonly invokeRotation?: (step: RotationStep) => Promise<void>;
  /** Keeps the secrets that were written to between runs, readable by its owner only. Default: in memory. */
  readonly dataFile?: string | undefined;
  /** Decides who may do what. Default: everybody is an administrator. */
  readonly access?: AccessControl;
  /** Whether a version that becomes the current one is no longer pending: sources disagree. Default: no */
  readonly currentEndsPending?: boolean;
}

/** A Secrets Manager that listens. */
export interface LocalSecretsManager {
  /** For `AWS_ENDPOINT_URL_SECRETS_MANAGER`. */
  readonly endpoint: string;
  /** Rotates a secret, or completes a rotation that failed before; rejects with what the step rejected with. */
  rotate(arn: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * What the service does at KMS with the permissions of its caller, when the secret has a key of its own.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
 */
const keyActions: Readonly<Record<string, readonly string[]>> = {
  GetSecretValue: ['kms:Decrypt'],
  PutSecretValue: ['kms:GenerateDataKey', 'kms:Decrypt'],
};

const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;

/** Starts it on a free port of 127.0.0.1. */
export async function startSecretsManager(options: SecretsManagerOptions): Promise<LocalSecretsManager> {
  const { invokeRotation, dataFile, access, currentEndsPending = false } = options;
  const secrets = loadSecrets(options);
  const keys = new Map(options.secrets.map(({ arn, keyArn }) => [arn, keyArn]));
  const rotations = new Map<string, Promise<void>>();

  const save = (): void => {
    if (dataFile === undefined) return;
    const written = [...secrets.values()].filter((secret) => secret.written);
    writeFileSync(`${dataFile}.new`, JSON.stringify(written, null, 2), { mode: 0o600 });
    renameSync(`${dataFile}.new`, dataFile);
  };

  /** The service gives the new version its label before the first step, and leaves it there if a step fails. */
  const beginRotation = (secret: Secret, token: string = randomUUID()): string => {
    if (invokeRotation === undefined) throw notRotatable();
    const unfinished = findVersion(secret, 'AWSPENDING');
    if (unfinished !== undefined && !secret.versions[unfinished]?.stages.includes('AWSCURRENT'))
      return unfinished;
    secret.versions[token] ??= { stages: [], createdAt: unixNow() };
    attachStage(secret, 'AWSPENDING', token);
    return token;
  };

  const runRotation = (secret: Secret, ClientRequestToken: string): Promise<void> => {
    const running = rotations.get(secret.arn);
    if (running !== undefined) return running;
    const run = async (): Promise<void> => {
      for (const Step of STEPS) await invokeRotation?.({ SecretId: secret.arn, ClientRequestToken, Step });
      secret.lastRotatedAt = unixNow();
    };
    const rotation = run().finally(() => rotations.delete(secret.arn));
    rotations.set(secret.arn, rotation);
    return rotation;
  };

  const rotateSecret: Operation = (secret, input) => {
    const token = optionalText(input, 'ClientRequestToken');
    const version = beginRotation(secret, token);
    // As in the service, the response does not wait for the steps.
    runRotation(secret, version).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      process.stderr.write(`rotation of ${secret.name} failed: ${reason}\n`);
    });
    if (token !== undefined && version !== token)
      throw new ServiceError(
        'InvalidRequestException',
        "A previous rotation isn't complete. That rotation will be reattempted.",
      );
    return { ARN: secret.arn, Name: secret.name, VersionId: version };
  };

  const operations = new Map<string, Operation>([
    ['GetSecretValue', getSecretValue],
    ['DescribeSecret', (secret) => describeSecret(secret, invokeRotation !== undefined)],
    ['PutSecretValue', putSecretValue],
    [
      'UpdateSecretVersionStage',
      (secret, input) => updateSecretVersionStage(secret, input, currentEndsPending),
    ],
    ['RotateSecret', rotateSecret],
    ['TagResource', tagResource],
  ]);

  const respond = async (request: IncomingMessage): Promise<Record<string, unknown>> => {
    const name = String(request.headers['x-amz-target']).replace(/^secretsmanager\./, '');
    const input = (await json(request)) as Input;
    const operation = operations.get(name);
    if (operation === undefined)
      throw new ServiceError('UnknownOperationException', `The local Secrets Manager knows no ${name}`);
    const secret = findSecret(secrets, input);
    const refusal = await access?.refusal(accessKeyIdOf(request.headers.authorization), [
      { action: `secretsmanager:${name}`, resource: secret.arn, context: versionIn(input) },
      ...keyPermissions(name, keys.get(secret.arn)),
    ]);
    if (refusal !== undefined) throw new ServiceError('AccessDeniedException', refusal);
    const output = operation(secret, input);
    if (!/^(Get|Describe)/.test(name)) save();
    return output;
  };

  const server = createServer((request, response) => {
    const reply = (status: number, body: Record<string, unknown>): void => {
      response.writeHead(status, {
        'content-type': 'application/x-amz-json-1.1',
        'x-amzn-requestid': randomUUID(),
      });
      response.end(JSON.stringify(body));
    };
    respond(request).then(
      (output) => reply(200, output),
      (error: unknown) => {
        if (error instanceof ServiceError) reply(400, { __type: error.name, Message: error.message });
        else if (error instanceof SyntaxError)
          reply(400, { __type: 'SerializationException', Message: 'The body is not JSON' });
        else reply(500, { __type: 'InternalServiceError', Message: 'An error occurred on the server side.' });
      },
    );
  });
  const { url, close } = await listenOnLoopback(server);

  return {
    endpoint: url,
    async rotate(arn) {
      const secret = findSecret(secrets, { SecretId: arn });
      await runRotation(secret, beginRotation(secret));
      save();
    },
    close,
  };
}

/** The version that a request names: IAM sees what it says, and not what is meant where it says nothing. */
function versionIn(input: Input): NonNullable<NeededPermission['context']> {
  return Object.fromEntries(
    (['VersionId', 'VersionStage'] as const).flatMap((name) => {
      const value = optionalText(input, name);
      return value === undefined ? [] : [[`secretsmanager:${name}`, [value]]];
    }),
  );
}

function keyPermissions(operation: string, keyArn: string | undefined): readonly NeededPermission[] {
  if (keyArn === undefined) return [];
  const context = { 'kms:ViaService': [`secretsmanager.${REGION}.amazonaws.com`] };
  return (keyActions[operation] ?? []).map((action) => ({ action, resource: keyArn, context }));
}

function findSecret(secrets: ReadonlyMap<string, Secret>, input: Input): Secret {
  const id = optionalText(input, 'SecretId') ?? '';
  const secret = secrets.get(id) ?? [...secrets.values()].find(({ name }) => name === id);
  if (secret === undefined)
    throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  return secret;
}

function loadSecrets({ secrets, dataFile }: SecretsManagerOptions): Map<string, Secret> {
  const initial = secrets.map(({ arn, name, value }) => createSecret(arn, name, value));
  return new Map([...initial, ...keptSecrets(dataFile)].map((secret) => [secret.arn, secret]));
}

/** @throws LocalRunError naming a file that cannot be read; the parser's own error would quote its secrets */
function keptSecrets(dataFile: string | undefined): Secret[] {
  if (dataFile === undefined || !existsSync(dataFile)) return [];
  try {
    return JSON.parse(readFileSync(dataFile, 'utf8'));
  } catch {
    throw new LocalRunError(`${dataFile} is damaged: remove the kept data, or move it aside.`);
  }
}

function notRotatable(): ServiceError {
  return new ServiceError(
    'InvalidRequestException',
    "You tried to enable rotation on a secret that doesn't already have a Lambda function ARN configured.",
  );
}
