/** `npm run members`: what an operator does about a user, on a deployed stage or a local run. */
import { userInfo } from 'node:os';
import { createInterface } from 'node:readline';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { DomainError } from '../functions/errors/domain-error.ts';
import { describeError } from '../functions/telemetry/describe-error.ts';
import { createRevocations } from '../functions/tokens/revocations.ts';
import { type Administration, createAdministration } from '../functions/users/administer.ts';
import type { User } from '../functions/users/user.ts';
import { defineCommand, type Io, print, printJson, runIfMain } from './command/command.ts';
import { CommandError } from './command/errors.ts';
import { localIdentity } from './command/local-identity.ts';
import { columns, painter } from './command/output.ts';
import {
  type Command,
  options,
  readArguments,
  type Search,
  type Target,
  USAGE,
} from './members/arguments.ts';
import { readableExport, withMaskedPhone } from './members/user-export.ts';
import { linesOf, sentenceOf, timeOf, type UserView, viewOf } from './members/user-view.ts';

/** The users of a target, and who works on them. */
interface Site {
  readonly administration: Administration;
  readonly operator: string;
}

async function reach(target: Target): Promise<Site> {
  const site = (client: DynamoDBClient, tableName: string, operator: string, now: () => number): Site => {
    const table = {
      client: DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } }),
      tableName,
      now,
    };
    return {
      administration: createAdministration({ ...table, revocations: createRevocations(table) }),
      operator,
    };
  };
  if (target.kind === 'local') {
    const client = new DynamoDBClient({ endpoint: target.endpoint, ...localIdentity });
    return site(client, target.tableName, `local:${localUser()}`, Date.now);
  }
  // Loaded only where there is AWS to call.
  const { identifyCaller, stageValue } = await import('./command/deployment.ts');
  const { arn, now } = await identifyCaller();
  const tableName =
    target.kind === 'stage' ? await stageValue(target.stage, 'users-table') : target.tableName;
  return site(new DynamoDBClient(), tableName, arn, now);
}

/** A container may run as a user that has no name. */
function localUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.()}`;
  }
}

async function carryOut(command: Command, { administration, operator }: Site, io: Io): Promise<void> {
  const { stdout } = io;
  const paint = painter(stdout);
  if (command.name === 'find') {
    const users = await find(command.search, command.show, administration);
    return command.json
      ? printJson(stdout, users)
      : print(stdout, users.map((user) => linesOf(user, paint).join('\n')).join('\n\n'));
  }
  if (command.name === 'closing') {
    const users = (await administration.closing()).map(({ userId, closesAt }) => ({
      user_id: userId,
      closes_at: timeOf(closesAt),
    }));
    if (command.json) return printJson(stdout, users);
    const rows = users.map(({ user_id, closes_at = '' }) => [user_id, closes_at]);
    return print(
      stdout,
      rows.length === 0 ? 'No account is closed.' : columns([['user_id', 'closes_at'], ...rows]).join('\n'),
    );
  }
  const { name, userId } = command;
  if (name === 'export') {
    const held = await administration.exportUser(userId);
    if (held === undefined) throw await noSuchUser(userId, administration);
    const shown = command.show ? held : withMaskedPhone(held);
    return command.json ? printJson(stdout, shown) : print(stdout, readableExport(shown, paint));
  }
  if (name === 'erase' && !command.confirmed) await confirmErasure(userId, administration, io);
  const done = await administration[name](userId, { by: operator, reason: command.reason });
  if (!done) throw await noSuchUser(userId, administration);
  print(stdout, `${name} ${userId}: done, recorded as ordered by ${operator}`);
}

async function find(
  search: Search,
  show: boolean,
  administration: Administration,
): Promise<readonly UserView[]> {
  const users = await usersFor(search, administration);
  if (users.length === 0) {
    if (search.kind === 'user_id') throw await noSuchUser(search.userId, administration);
    throw new CommandError('There is no such user.');
  }
  return Promise.all(
    users.map(async (user) => viewOf(user, await administration.changesOf(user.userId), show)),
  );
}

async function usersFor(search: Search, administration: Administration): Promise<readonly User[]> {
  switch (search.kind) {
    case 'user_id': {
      const user = await administration.findByUserId(search.userId);
      return user === undefined ? [] : [user];
    }
    case 'openid':
      return administration.findByOpenid(search.openid, search.appid);
    case 'unionid':
      return administration.findByUnionid(search.unionid);
    case 'phone':
      return administration.findByPhone(search.e164);
  }
}

/** Says of an erased user what is still known: who erased them, when and why. */
async function noSuchUser(userId: string, administration: Administration): Promise<CommandError> {
  const last = (await administration.changesOf(userId)).at(-1);
  return new CommandError(`There is no user ${userId}${last ? ` (${sentenceOf(last)})` : ''}.`);
}

async function confirmErasure(
  userId: string,
  administration: Administration,
  { stdin, stderr }: Io,
): Promise<void> {
  const user = await administration.findByUserId(userId);
  if (user === undefined) throw await noSuchUser(userId, administration);
  stderr.write(
    `This removes user ${userId} (${user.username || 'no name'}) of ${user.appid} for good. Type yes to go on: `,
  );
  for await (const line of createInterface({ input: stdin })) {
    if (line.trim() === 'yes') return;
    break;
  }
  throw new CommandError('Nothing was erased.');
}

/** A foreign error's message can quote what it could not read, which may be somebody's data. */
function withoutData(error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  if (error instanceof DomainError) return new CommandError(error.message);
  const { cause, stack } = describeError(error);
  return new CommandError(`This is a bug: ${cause}\n${stack}`);
}

export const run = defineCommand({
  usage: USAGE,
  options,
  allowPositionals: true,
  body: async (given, io) => {
    const { command, target } = readArguments(given);
    try {
      await carryOut(command, await reach(target), io);
      return 0;
    } catch (error) {
      throw withoutData(error);
    }
  },
});

await runIfMain(import.meta, run);
