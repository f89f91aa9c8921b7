/** Everything a rotation touches, on real engines, for the tests of what it does and of where it may be cut off. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  GetSecretValueCommand,
  SecretsManagerClient,
  TagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { type LocalSecretsManager, type RotationStep, startSecretsManager } from 'local-aws';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { DROP_KEY_TAG } from '../../../functions/contracts/key-schedule.ts';
import type { Jwks } from '../../../functions/keys/json-web-keys.ts';
import { createKeyRing, type KeyRing, parseKeyRing } from '../../../functions/keys/key-ring.ts';
import { loadJwksFromTable } from '../../../functions/keys/published-in-table.ts';
import { createRotation, type RotationReport } from '../../../functions/keys/rotation.ts';
import { keySupply } from '../../fixtures/key-pairs.ts';
import { NOW } from '../../fixtures/tokens.ts';
import { localIdentity, startUsersTable, type UsersTable } from '../../fixtures/users-table.ts';

export const keyRingArn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:key-ring-AbCdEf';
export const placeholder = '{"placeholder":"Zk3x9"}';

/** How many keys a test may have in rings of its own; those that a rotation makes come after them in the supply. */
const OWN_KEYS = 4;
export const ownRing = (createdAt: number, createKey = keySupply()): Promise<KeyRing> =>
  createKeyRing(createdAt, createKey);

/** One table for the tests of a file, and an end to what each of them starts. */
export function useRotation() {
  let table: UsersTable;
  const closing: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    table = await startUsersTable();
  });
  afterAll(() => table.stop());
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  return (born?: string, currentEndsPending?: boolean) =>
    setUpRotation(table, closing, born, currentEndsPending);
}

/** Everything a rotation touches, with a clock of its own and a place to cut off any call to AWS. */
async function setUpRotation(
  table: UsersTable,
  closing: (() => Promise<void>)[],
  born = placeholder,
  currentEndsPending = false,
) {
  const state = {
    now: NOW,
    calls: 0,
    /** Of the calls, those that arrived and were to change something. */
    writes: 0,
    cutAt: 0,
    cut: 'before' as 'before' | 'after',
    log: [] as RotationReport[],
  };
  const now = () => state.now;
  const tableName = table.tableName;
  await table.client.send(new PutCommand({ TableName: tableName, Item: { pk: 'jwks' } }));

  const cutOff = <T>(command = '', next: () => Promise<T>): Promise<T> => {
    state.calls++;
    const cut = () => Promise.reject(new Error('cut off'));
    if (state.calls === state.cutAt && state.cut === 'before') return cut();
    if (!/^(Get|Describe)/.test(command)) state.writes++;
    return state.calls === state.cutAt ? next().then(cut, cut) : next();
  };
  const document = DynamoDBDocumentClient.from(
    new DynamoDBClient({ ...localIdentity, endpoint: table.endpoint }),
  );
  let invoke: (step: RotationStep) => Promise<unknown>;
  const server: LocalSecretsManager = await startSecretsManager({
    secrets: [{ arn: keyRingArn, name: 'key-ring', value: born }],
    currentEndsPending,
    invokeRotation: async (event) => void (await invoke(event)),
  });
  const secrets = new SecretsManagerClient({ ...localIdentity, endpoint: server.endpoint, maxAttempts: 1 });
  const uncut = new SecretsManagerClient({ ...localIdentity, endpoint: server.endpoint });
  secrets.middlewareStack.add(
    (next, { commandName }) =>
      (args) =>
        cutOff(commandName, () => next(args)),
    { step: 'initialize' },
  );
  document.middlewareStack.add(
    (next, { commandName }) =>
      (args) =>
        cutOff(commandName, () => next(args)),
    { step: 'initialize' },
  );
  closing.push(async () => {
    for (const client of [secrets, uncut, document]) client.destroy();
    await server.close();
  });

  const createKey = keySupply(OWN_KEYS);
  const step = createRotation({
    secrets,
    keyRingArn,
    table: { client: document, tableName },
    now,
    createKey,
  });
  invoke = async (event) => {
    state.log.push(await step(event));
  };
  const ring = async (): Promise<KeyRing> => {
    const answer = await uncut.send(new GetSecretValueCommand({ SecretId: keyRingArn }));
    const value = parseKeyRing(answer.SecretString);
    if (value === undefined) throw new Error('no ring');
    return value;
  };
  const published = () => loadJwksFromTable(table);
  const publishedKids = async () => ((await published()) as Jwks).keys.map(({ kid }) => kid);
  const drop = (...kids: string[]) =>
    uncut.send(
      new TagResourceCommand({
        SecretId: keyRingArn,
        Tags: kids.map((kid) => ({ Key: DROP_KEY_TAG + kid, Value: 'now' })),
      }),
    );
  return {
    table,
    state,
    now,
    server,
    secrets: uncut,
    step,
    ring,
    published,
    publishedKids,
    drop,
    rotate: () => server.rotate(keyRingArn),
    override: (replacement: (step: RotationStep) => Promise<unknown>) => {
      invoke = replacement;
    },
  };
}
