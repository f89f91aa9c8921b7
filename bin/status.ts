/** `npm run status`: the local run again: its addresses, users, keys and faults. */
import type { RunState } from '../local/console/run-state.ts';
import { defineCommand, print, printJson, runIfMain } from './command/command.ts';
import { findLocalRun } from './command/local-run.ts';
import { columns, type Paint, painter } from './command/output.ts';
import { faultLines, userLines } from './wechat.ts';

const USAGE = `Usage: npm run status [-- --json]

Shows the run of npm start: the newest one, or the one at PORT.`;

const timeOf = (unixSeconds: number): string => new Date(unixSeconds * 1000).toISOString();

/** Everything in lines, under headings. */
function linesOf({ addresses, users, keys, faults, presets }: RunState, paint: Paint): readonly string[] {
  const { url, simulator, dynamodb, table, secretsManager, appids } = addresses;
  const section = (heading: string, lines: readonly string[]): readonly string[] => [
    '',
    paint('heading', heading),
    ...lines.map((line) => `  ${line}`),
  ];
  return [
    ...section(
      'Addresses',
      columns([
        ['page and API', url],
        ...(simulator === undefined ? [] : [['WeChat', simulator]]),
        ['DynamoDB', dynamodb, `table ${table}`],
        ['Secrets Manager', secretsManager],
        ['mini-programs', appids.join(', ')],
      ]),
    ),
    ...section('Users', userLines(users, paint)),
    ...section(
      'Keys',
      columns([
        ['current', keys.current.kid, `public since ${timeOf(keys.current.published_at)}`],
        ['next', keys.next.kid, `public since ${timeOf(keys.next.published_at)}`],
        ...keys.retired.map(({ kid, remove_after }) => ['retired', kid, `until ${timeOf(remove_after)}`]),
      ]),
    ),
    ...(presets.length === 0 ? [] : section("WeChat's faults", faultLines(faults, paint))),
  ].slice(1);
}

export const run = defineCommand({
  usage: USAGE,
  options: { json: { type: 'boolean' } },
  body: async ({ values }, io) => {
    const localRun = await findLocalRun(io.env);
    const state = await localRun.call<RunState>('state');
    if (values.json) printJson(io.stdout, state);
    else for (const line of linesOf(state, painter(io.stdout))) print(io.stdout, line);
    return 0;
  },
});

await runIfMain(import.meta, run);
