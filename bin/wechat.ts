/** `npm run wechat`: what the WeChat of a local run does: its faults, codes and users. */
import { type FaultRow, oddTokens, type RunState } from '../local/console/run-state.ts';
import { FIRST_HOST_DOWN, faultNamed, presetNames } from '../local/wechat/presets.ts';
import { defineCommand, type Io, print, printJson, runIfMain } from './command/command.ts';
import { UsageError } from './command/errors.ts';
import { findLocalRun, type LocalRun } from './command/local-run.ts';
import type { Given } from './command/options.ts';
import { columns, type Paint, painter } from './command/output.ts';

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

/** The faults, a line each. */
export const faultLines = (faults: readonly FaultRow[], paint: Paint): readonly string[] =>
  faults.length === 0
    ? [paint('good', 'WeChat is well.')]
    : columns(faults.map(faultCells)).map((line) => paint('bad', line));

function faultCells({ name, callsLeft, code, openid }: FaultRow): readonly string[] {
  const whom = code ?? openid;
  if (callsLeft !== undefined)
    return [
      name,
      `for ${callsLeft === 1 ? 'one more call' : `${callsLeft} more calls`}${whom ? ` of ${whom}` : ''}`,
    ];
  if (whom !== undefined) return [name, `until it is switched off, of ${whom}`];
  return [name, `${name === FIRST_HOST_DOWN ? '' : 'for every call '}until it is switched off`];
}

/** The users, a line each. */
export const userLines = (users: RunState['users'], paint: Paint): readonly string[] =>
  users.length === 0
    ? ['Nobody has logged in.']
    : columns(users.map(({ user_id, status, appid, username }) => [user_id, status, appid, username])).map(
        (line, index) => (users[index]?.status === 'active' ? line : paint('bad', line)),
      );

/** Says it in lines, or as JSON. */
type Say = (value: object, lines: (paint: Paint) => readonly string[]) => void;

/** What is asked of the run, once there is one. */
type Ask = (run: LocalRun, say: Say) => Promise<void>;

/** A command, once its argument and options are read. @throws UsageError */
type Verb = (argument: string | undefined, values: Values) => Ask;

const sayFaults = (say: Say, faults: readonly FaultRow[]): void =>
  say(faults, (paint) => faultLines(faults, paint));

const verbs: Readonly<Record<string, Verb>> = {
  fault(name, { times, code, user }) {
    if (name === undefined) throw new UsageError('Name a fault.');
    if (name !== FIRST_HOST_DOWN && faultNamed(name) === undefined)
      throw new UsageError(`There is no such fault; there are errcodes, and ${presetNames.join(', ')}.`);
    if (times !== undefined && !/^[1-9]\d{0,5}$/.test(times))
      throw new UsageError('--times must be a whole number from 1 up.');
    if (code !== undefined && user !== undefined) throw new UsageError('--code or --user, not both.');
    const fault = {
      name,
      ...(times !== undefined && { times: Number(times) }),
      ...(code !== undefined && { code }),
      ...(user !== undefined && { user_id: user }),
    };
    return async (run, say) =>
      sayFaults(say, (await run.call<{ faults: FaultRow[] }>('fault', fault)).faults);
  },
  faults: () => async (run, say) => sayFaults(say, (await run.call<RunState>('state')).faults),
  heal: () => async (run, say) =>
    sayFaults(say, (await run.call<{ faults: FaultRow[] }>('clear-faults')).faults),
  code:
    (_argument, { openid, appid }) =>
    async (run, say) => {
      const owner = { ...(openid !== undefined && { openid }), ...(appid !== undefined && { appid }) };
      const issued = await run.call<{ code: string }>('code', owner);
      say(issued, () => [issued.code]);
    },
  users: () => async (run, say) => {
    const { users } = await run.call<RunState>('state');
    say(users, (paint) => userLines(users, paint));
  },
  token(kind) {
    if (!oddTokens.some((each) => each === kind))
      throw new UsageError(`Name a kind of token: ${oddTokens.join(', ')}.`);
    return async (run, say) => {
      const minted = await run.call<{ token: string }>('token', { kind });
      say(minted, () => [minted.token]);
    };
  },
  'reset-secret'(_argument, { appid }) {
    if (appid === undefined) throw new UsageError('Say whose AppSecret it is: --appid.');
    return async (run, say) => {
      const { secret } = await run.call<{ secret: string }>('reset-secret', { appid });
      say({ secret }, () => [secret]);
    };
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
    const call = verb(words[0], values);
    await call(await findLocalRun(io.env), (value, lines) => {
      if (values.json) printJson(io.stdout, value);
      else for (const line of lines(painter(io.stdout))) print(io.stdout, line);
    });
    return 0;
  },
});

await runIfMain(import.meta, run);
