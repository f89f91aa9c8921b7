/**
 * Says where the time goes, so that what became slower names its cause: sampling profiles of the readable bundles, of a
 * start and of warm requests, by phase, by package, and by module of Node's.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { makeTemporaryDirectory } from 'local-aws';
import type { FunctionName } from '../../functions/contracts/environment.ts';
import { bundle } from '../../lib/compute/bundle.ts';
import type { LocalService } from '../../local/service.ts';
import { readDistantFunctions } from './functions.ts';
import { createRequests } from './requests.ts';

/** What one row costs the main thread, milliseconds: of a start, or of one warm request. */
export interface Cost {
  readonly part: string;
  /** `phase`: when; `package`: whose code, with what Node.js does for it; `node`: Node's module that works. */
  readonly by: 'phase' | 'package' | 'node';
  readonly row: string;
  readonly ms: number;
}

/** How much is profiled. */
export interface ProfileCounts {
  readonly starts: number;
  readonly warmRequests: number;
}

interface Frame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: Frame;
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Microseconds between two samples. */
const INTERVAL = 100;

/** Rows below this part of the whole are not worth a line. */
const LEAST_SHARE = 0.01;

const startProgram = "await import('./index.mjs'); process.exit();";

/** Profiles the second half of the requests. */
const warmProgram = `
const { handler } = await import('./index.mjs');
const { Session } = await import('node:inspector/promises');
const { mkdirSync, writeFileSync, readFileSync } = await import('node:fs');
const events = JSON.parse(readFileSync('events.json', 'utf8'));
const half = events.length / 2;
for (const event of events.slice(0, half)) await handler(event);
const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.setSamplingInterval', { interval: ${INTERVAL} });
await session.post('Profiler.start');
for (const event of events.slice(half)) await handler(event);
const { profile } = await session.post('Profiler.stop');
mkdirSync('warm');
writeFileSync('warm/warm.cpuprofile', JSON.stringify(profile));
process.exit();
`;

/** Profiles login, authorizer and member. Their bundles are not minified, or nothing had a name, and slower for that. */
export async function profileFunctions(
  service: LocalService,
  { starts, warmRequests }: ProfileCounts,
): Promise<readonly Cost[]> {
  const { functionOf, close } = await readDistantFunctions(service);
  try {
    const costs: Cost[] = [];
    for (const { row, bundle: name, idPrefix, events } of await createRequests(service)) {
      const text = JSON.stringify(await events(warmRequests * 2));
      const { started, warm } = await profileRuns(name, starts, functionOf(idPrefix).environment, text);
      costs.push(...summed(`start of ${name}`, started, starts));
      costs.push(...summed(`${row}, warm`, warm, warmRequests, true));
    }
    return costs;
  } finally {
    close();
  }
}

interface Run {
  readonly profile: Profile;
  readonly originOf: OriginOf;
}

/** Profiles one bundle: so many starts, and one process with warm requests. */
async function profileRuns(
  name: FunctionName,
  starts: number,
  environment: Readonly<Record<string, string>>,
  events: string,
): Promise<Readonly<Record<'started' | 'warm', readonly Run[]>>> {
  const { directory, remove } = await makeTemporaryDirectory();
  try {
    bundle(name, directory, true);
    writeFileSync(path.join(directory, 'events.json'), events);
    const run = (flags: readonly string[], program: string) =>
      promisify(execFile)(process.execPath, [...flags, '--input-type=module', '-e', program], {
        cwd: directory,
        env: { ...environment },
        maxBuffer: 64 * 1024 * 1024,
      });
    for (let start = 0; start < starts; start++)
      await run(
        ['--cpu-prof', '--cpu-prof-interval', `${INTERVAL}`, '--cpu-prof-dir', 'starts'],
        startProgram,
      );
    await run([], warmProgram);
    const text = readFileSync(path.join(directory, 'index.mjs'), 'utf8');
    const originOf = createOriginOf(text.slice(text.lastIndexOf('base64,') + 'base64,'.length));
    const read = (folder: string): readonly Run[] =>
      readdirSync(path.join(directory, folder)).map((file) => ({
        profile: JSON.parse(readFileSync(path.join(directory, folder, file), 'utf8')) as Profile,
        originOf,
      }));
    return { started: read('starts'), warm: read('warm') };
  } finally {
    await remove();
  }
}

type OriginOf = (frame: Frame) => string | undefined;

/** The file in the repository that a frame of the bundle comes from; what stands for a module of Node's is none. */
function createOriginOf(encodedMap: string): OriginOf {
  const map = new SourceMap(JSON.parse(Buffer.from(encodedMap, 'base64').toString()));
  const cache = new Map<string, string | undefined>();
  return ({ url, lineNumber, columnNumber }) => {
    if (!url.endsWith('/index.mjs')) return undefined;
    const key = `${lineNumber}:${columnNumber}`;
    if (!cache.has(key)) {
      const origin = map.findOrigin(lineNumber + 1, columnNumber + 1);
      const file = 'fileName' in origin ? origin.fileName : "esbuild's part";
      cache.set(key, file.startsWith('dataurl:') ? undefined : file);
    }
    return cache.get(key);
  };
}

function summed(part: string, runs: readonly Run[], divisor: number, started = false): readonly Cost[] {
  const costs = new Map<string, Cost>();
  let total = 0;
  for (const { profile, originOf } of runs)
    for (const { by, row, ms } of costsOf(profile, originOf, started)) {
      if (by === 'phase') total += ms / divisor;
      const key = `${by} ${row}`;
      costs.set(key, { part, by, row, ms: (costs.get(key)?.ms ?? 0) + ms / divisor });
    }
  return [...costs.values()]
    .filter(({ by, ms }) => by === 'phase' || ms >= total * LEAST_SHARE)
    .sort((a, b) => a.by.localeCompare(b.by) || b.ms - a.ms);
}

function* costsOf(
  { nodes, samples, timeDeltas }: Profile,
  originOf: OriginOf,
  warm: boolean,
): Generator<Omit<Cost, 'part'>> {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  let started = warm;
  // A short phase may fall between two samples.
  for (const row of warm ? [] : phases) yield { by: 'phase', row, ms: 0 };
  for (const [at, sample] of samples.entries()) {
    // What is longer was taken by others on this machine.
    const ms = Math.min(timeDeltas[at] ?? 0, 4 * INTERVAL) / 1000;
    const stack: Frame[] = [];
    for (let id: number | undefined = sample; id !== undefined; id = parents.get(id)) {
      const frame = frames.get(id);
      if (frame !== undefined) stack.push(frame);
    }
    const [top] = stack;
    if (top?.functionName === '(idle)') continue;
    const files = stack.map(originOf);
    const nearest = files.find((file) => file !== undefined);
    started ||= nearest !== undefined;
    const phase = phaseOf(stack, files, started, warm);
    yield { by: 'phase', row: phase, ms };
    yield { by: 'package', row: started ? packageOf(nearest, top) : phase, ms };
    if (top?.url.startsWith('node:')) yield { by: 'node', row: top.url, ms };
  }
}

const phases = [
  'Node.js before our first line',
  'modules are evaluated',
  'clients are made',
  'first calls, with what Node.js does for them',
] as const;

function phaseOf(
  stack: readonly Frame[],
  files: readonly (string | undefined)[],
  started: boolean,
  warm: boolean,
): (typeof phases)[number] | 'requests' {
  if (warm) return 'requests';
  if (!started) return 'Node.js before our first line';
  if (stack.some(({ functionName }) => /^create\w*(?:Client|Connection)$/.test(functionName)))
    return 'clients are made';
  const evaluated = stack.some(
    ({ functionName }, at) => functionName === '' && files[at] === "esbuild's part",
  );
  return evaluated ? 'modules are evaluated' : 'first calls, with what Node.js does for them';
}

/** The package of the nearest frame that is not Node's; of ours, the room. */
function packageOf(file: string | undefined, top: Frame | undefined): string {
  if (file === undefined) return top?.functionName.startsWith('(') ? top.functionName : 'Node.js by itself';
  const [, name] = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file) ?? [];
  return name ?? /functions\/[\w-]+/.exec(file)?.[0] ?? file;
}

/** The costs as text: a block for each part. */
export function toCostTable(costs: readonly Cost[]): string {
  return [...Map.groupBy(costs, ({ part }) => part)]
    .map(([part, rows]) =>
      [
        part,
        ...rows.map(({ by, row, ms }) => `  ${by.padEnd(9)}${row.padEnd(56)}${ms.toFixed(2).padStart(8)} ms`),
      ].join('\n'),
    )
    .join('\n\n');
}
