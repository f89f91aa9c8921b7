/** `npm run wechat`: what the WeChat of a local run does: its faults, codes and users. */
import type { FaultRow, RunState } from '../local/console/run-state.ts';
import { FIRST_HOST_DOWN, presetNames } from '../local/wechat/presets.ts';
import { defineCommand, type Io, print, runIfMain } from './command/command.ts';
import { UsageError } from './command/errors.ts';
import { findLocalRun, type LocalRun } from './command/local-run.ts';
import type { Given } from './command/options.ts';

const USAGE = `Usage: npm run wechat -- <command> [options]

  fault NAME [--times N] [--code CODE | --user USER_ID]
          what WeChat does wrong from now on: an errcode such as 45011, or one of
          ${presetNames.slice(0, 6).join(', ')},
          ${presetNames.slice(6).join(', ')}.
          --times N for the next N calls alone, --code and --user for one code or user
  faults  the faults that are switched on
  heal    switches them off
  code [--openid OPENID] [--appid APPID]    a code, as wx.login hands it out
  users   the users that have logged in
  token KIND    a token that a route must refuse: expired, foreign_audience,
                wrongly_signed or revoked
  reset-secret --appid APPID    gives the mini-program another AppSecret and prints it

Works on the run of npm start: the newest one, or the one at PORT. --json prints JSON.`;

const text = { type: 'string' } as const;
const options = {
  times: text,
  code: text,
  user: text,
  openid: text,
  appid: text,
  json: { type: 'boolean' },
} as const;
type Values = Given<typeof options>['values'];

/** A fault in a line. */
export function faultLine({ name, callsLeft, code, openid }: FaultRow): string {
  const whom = code ?? openid;
  return [
    name,
    callsLeft === undefined
      ? name === FIRST_HOST_DOWN || whom !== undefined
        ? 'until it is switched off'
        : 'for every call until it is switched off'
      : `for ${callsLeft === 1 ? 'one more call' : `${callsLeft} more calls`}`,
    ...(whom === undefined ? [] : [`of ${whom}`]),
  ].join(' ');
}

/** A user in a line. */
export const userLine = ({ user_id, status, username, appid }: RunState['users'][number]): string =>
  `${user_id}  ${status.padEnd(7)} ${appid}  ${username}`.trimEnd();

/** Says it in lines, or as JSON. */
type Say = (value: object, lines: readonly string[]) => void;

type Verb = (run: LocalRun, argument: string | undefined, values: Values, say: Say) => Promise<void>;

const sayFaults = (say: Say, faults: readonly FaultRow[]): void =>
  say(faults, faults.length === 0 ? ['WeChat is well.'] : faults.map(faultLine));

const verbs: Readonly<Record<string, Verb>> = {
  async fault(run, name, { times, code, user }, say) {
    if (name === undefined) throw new UsageError('Name a fault.');
    if (times !== undefined && !/^[1-9]\d{0,5}$/.test(times))
      throw new UsageError('--times must be a whole number from 1 up.');
    if (code !== undefined && user !== undefined) throw new UsageError('--code or --user, not both.');
    const { faults } = await run.ask<{ faults: FaultRow[] }>('fault', {
      name,
      ...(times !== undefined && { times: Number(times) }),
      ...(code !== undefined && { code }),
      ...(user !== undefined && { user_id: user }),
    });
    sayFaults(say, faults);
  },
  async faults(run, _argument, _values, say) {
    sayFaults(say, (await run.ask<RunState>('state')).faults);
  },
  async heal(run, _argument, _values, say) {
    sayFaults(say, (await run.ask<{ faults: FaultRow[] }>('clear-faults')).faults);
  },
  async code(run, _argument, { openid, appid }, say) {
    const issued = await run.ask<{ code: string }>('code', {
      ...(openid !== undefined && { openid }),
      ...(appid !== undefined && { appid }),
    });
    say(issued, [issued.code]);
  },
  async users(run, _argument, _values, say) {
    const { users } = await run.ask<RunState>('state');
    say(users, users.length === 0 ? ['Nobody has logged in.'] : users.map(userLine));
  },
  async token(run, kind, _values, say) {
    const minted = await run.ask<{ token: string }>('token', { kind: kind ?? '' });
    say(minted, [minted.token]);
  },
  async 'reset-secret'(run, _argument, { appid }, say) {
    const { secret } = await run.ask<{ secret: string }>('reset-secret', { appid: appid ?? '' });
    say({ secret }, [secret]);
  },
};

/** What each command takes beside its own word. */
const taken: Readonly<Record<string, readonly string[]>> = {
  fault: ['NAME', 'times', 'code', 'user'],
  code: ['openid', 'appid'],
  token: ['KIND'],
  'reset-secret': ['appid'],
};

export const run = defineCommand({
  usage: USAGE,
  options,
  allowPositionals: true,
  body: async ({ values, positionals: [name, ...words] }, io: Io) => {
    if (name === undefined) throw new UsageError('Name a command.');
    const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
    if (verb === undefined)
      throw new UsageError(`There is no such command; there are ${Object.keys(verbs).join(', ')}.`);
    const known = taken[name] ?? [];
    const foreign = Object.keys(values).find((option) => option !== 'json' && !known.includes(option));
    if (foreign !== undefined) throw new UsageError(`${name} has no option --${foreign}.`);
    const argument = known.find((each) => each === each.toUpperCase());
    if (words.length > (argument === undefined ? 0 : 1)) throw new UsageError('One command at a time.');
    const say: Say = (value, lines) => {
      if (values.json) print(io.stdout, JSON.stringify(value, undefined, 2));
      else for (const line of lines) print(io.stdout, line);
    };
    await verb(await findLocalRun(io.env), words[0], values, say);
    return 0;
  },
});

await runIfMain(import.meta, run);
