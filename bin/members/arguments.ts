/** The command line of `npm run members`: what may be done, and in which table. */
import { UsageError } from '../command/errors.ts';
import type { Given } from '../command/options.ts';

/** Shown with every mistake in the command line. */
export const USAGE = `Usage: npm run members -- <command> [options]

  find    --user-id ID | --openid OPENID [--appid APPID] | --unionid UNIONID | --phone +8613800138000
          [--json] [--show]
          shows users and what was done about them; openid, unionid and phone are
          masked unless --show is given. --unionid and --phone read the whole table:
          slow, and too rare for an index.
  ban     --user-id ID --reason TEXT           refuses the user's logins and tokens
  unban   --user-id ID --reason TEXT           takes a ban back
  revoke  --user-id ID --reason TEXT           ends all logins of the user
  erase   --user-id ID --reason TEXT [--yes]   removes the user and all personal data
  closing [--json]                             shows the closed accounts, the next to be erased first
  restore --user-id ID --reason TEXT           opens a closed account again
  export  --user-id ID [--json] [--show]       prints everything held about the user,
                                               the phone number masked unless --show is given

The reason is kept with who, when and what, longer than the user: name no person in it.

Where:
  --stage STAGE                 a deployed stage; region and credentials as for the AWS CLI
  --table NAME                  a deployed table, by its name
  --table NAME --local URL      the table of a local run, which prints this line

Exit status: 0 done, 1 no such user or failed, 2 wrong command line.`;

/** Where the users are. */
export type Target =
  | { readonly kind: 'stage'; readonly stage: string }
  | { readonly kind: 'table'; readonly tableName: string }
  | { readonly kind: 'local'; readonly tableName: string; readonly endpoint: string };

/** Whom to find. */
export type Search =
  | { readonly kind: 'user_id'; readonly userId: string }
  | { readonly kind: 'openid'; readonly openid: string; readonly appid: string | undefined }
  | { readonly kind: 'unionid'; readonly unionid: string }
  | { readonly kind: 'phone'; readonly e164: string };

/** What an operator wants done. */
export type Command =
  | {
      readonly name: 'find';
      readonly search: Search;
      readonly json: boolean;
      readonly show: boolean;
    }
  | {
      readonly name: 'ban' | 'unban' | 'revoke' | 'restore';
      readonly userId: string;
      readonly reason: string;
    }
  | { readonly name: 'erase'; readonly userId: string; readonly reason: string; readonly confirmed: boolean }
  | { readonly name: 'export'; readonly userId: string; readonly json: boolean; readonly show: boolean }
  | { readonly name: 'closing'; readonly json: boolean };

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
export const options = {
  'user-id': text,
  openid: text,
  appid: text,
  unionid: text,
  phone: text,
  reason: text,
  show: flag,
  json: flag,
  yes: flag,
  stage: text,
  table: text,
  local: text,
} as const;

type Option = keyof typeof options;
type Values = Given<typeof options>['values'];

/** What each command knows beside the target's options. */
const commandOptions: Readonly<Record<Command['name'], readonly Option[]>> = {
  find: ['user-id', 'openid', 'appid', 'unionid', 'phone', 'json', 'show'],
  ban: ['user-id', 'reason'],
  unban: ['user-id', 'reason'],
  revoke: ['user-id', 'reason'],
  erase: ['user-id', 'reason', 'yes'],
  closing: ['json'],
  restore: ['user-id', 'reason'],
  export: ['user-id', 'json', 'show'],
};
const targetOptions: readonly Option[] = ['stage', 'table', 'local'];

/** Enough for a sentence and a ticket's number. */
const MAX_REASON_LENGTH = 500;

/** @throws UsageError */
export function readArguments({ values, positionals }: Given<typeof options>): {
  command: Command;
  target: Target;
} {
  const [name, ...rest] = positionals;
  if (name === undefined) throw new UsageError('Name a command.');
  if (!isCommand(name)) throw new UsageError(`There is no such command; there are ${commandNames}.`);
  if (rest.length > 0) throw new UsageError('One command at a time; a text of several words needs quotes.');
  const allowed = [...commandOptions[name], ...targetOptions];
  const foreign = Object.keys(values).find((option) => !allowed.includes(option as Option));
  if (foreign !== undefined) throw new UsageError(`${name} has no option --${foreign}.`);
  return { command: readCommand(name, values), target: readTarget(values) };
}

const commandNames = Object.keys(commandOptions).join(', ');

function isCommand(name: string): name is Command['name'] {
  return Object.hasOwn(commandOptions, name);
}

function readCommand(name: Command['name'], values: Values): Command {
  const { json = false, show = false } = values;
  if (name === 'find') return { name, search: readSearch(values), json, show };
  if (name === 'closing') return { name, json };
  const userId = readUserId(values);
  if (name === 'export') return { name, userId, json, show };
  const reason = readReason(values);
  return name === 'erase'
    ? { name, userId, reason, confirmed: values.yes === true }
    : { name, userId, reason };
}

function readSearch(values: Values): Search {
  const given = (['user-id', 'openid', 'unionid', 'phone'] as const).filter(
    (option) => values[option] !== undefined,
  );
  const [by] = given;
  if (by === undefined || given.length > 1)
    throw new UsageError('find needs one of --user-id, --openid, --unionid and --phone.');
  if (values.appid !== undefined && by !== 'openid') throw new UsageError('--appid goes with --openid.');
  if (by === 'user-id') return { kind: 'user_id', userId: readUserId(values) };
  if (by === 'phone') return { kind: 'phone', e164: readPhone(values) };
  if (by === 'unionid') return { kind: 'unionid', unionid: readId(values, 'unionid') };
  return {
    kind: 'openid',
    openid: readId(values, 'openid'),
    appid: values.appid === undefined ? undefined : readId(values, 'appid'),
  };
}

function readTarget(values: Values): Target {
  const { stage, table, local } = values;
  if ((stage === undefined) === (table === undefined))
    throw new UsageError('Say where: --stage or --table, one of them.');
  if (local !== undefined && table === undefined) throw new UsageError('--local goes with --table.');
  if (stage !== undefined) return { kind: 'stage', stage: readId(values, 'stage') };
  const tableName = readId(values, 'table');
  if (local === undefined) return { kind: 'table', tableName };
  if (!/^https?:\/\//.test(local) || !URL.canParse(local))
    throw new UsageError('--local must be the URL of the database, such as http://127.0.0.1:8000.');
  return { kind: 'local', tableName, endpoint: local };
}

function readUserId(values: Values): string {
  const { 'user-id': userId = '' } = values;
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(userId))
    throw new UsageError('--user-id must be a user_id, which is a UUID.');
  return userId;
}

function readId(values: Values, option: 'openid' | 'unionid' | 'appid' | 'stage' | 'table'): string {
  const value = values[option] ?? '';
  if (!/^[\w.-]{1,255}$/.test(value))
    throw new UsageError(`--${option} must be letters, digits, '-', '_' and '.'.`);
  return value;
}

function readPhone({ phone = '' }: Values): string {
  if (!/^\+[1-9]\d{4,14}$/.test(phone))
    throw new UsageError('--phone must be a number with its country code, such as +8613800138000.');
  return phone;
}

function readReason(values: Values): string {
  const reason = (values.reason ?? '').trim();
  if (reason === '') throw new UsageError('--reason must say why: it is kept with the change.');
  if (reason.length > MAX_REASON_LENGTH || /[\p{Cc}\u2028\u2029]/u.test(reason) || !reason.isWellFormed())
    throw new UsageError(`--reason must be one line of at most ${MAX_REASON_LENGTH} characters.`);
  return reason;
}
