/** The house's plan as tests: rooms, the one direction of imports between them, and no circle anywhere. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Each house from top to bottom. A row names the rooms of one floor (a file on top of the house is a room, too, with the
 * name of the file; `*` stands for all such files that are named nowhere). A room may import rooms of the floors below, never of its
 * own floor or above. `outside` is what else a house may import, by the beginning of the path; `local-aws` by its name.
 */
const houses = {
  functions: {
    floors: [
      ['*'],
      ['login', 'member', 'events', 'authorizer'],
      ['caller', 'http'],
      ['users', 'keys'],
      ['tokens', 'wechat'],
      ['telemetry', 'aws', 'cache'],
      ['network'],
      ['errors'],
      ['contracts'],
    ],
    outside: [],
  },
  lib: {
    floors: [
      ['*'],
      ['api', 'monitoring', 'other-teams'],
      ['compute'],
      ['data'],
      ['settings.ts'],
      ['settings'],
    ],
    outside: ['functions/contracts/', 'package.json'],
  },
  local: { floors: [['*'], ['console'], ['wechat']], outside: ['local-aws'] },
  'packages/local-aws/src': {
    floors: [
      ['*'],
      ['account.ts', 'api-gateway', 'secrets-manager', 'dynamodb'],
      ['lambda'],
      ['iam'],
      ['template'],
      ['json.ts', 'errors.ts', 'loopback-server.ts', 'temporary-directory.ts'],
    ],
    outside: [],
  },
  'packages/mini-program/src': {
    floors: [['*'], ['session'], ['http'], ['platforms'], ['login-error.ts'], ['api-types.ts']],
    outside: [],
  },
} as const satisfies Record<string, { floors: readonly (readonly string[])[]; outside: readonly string[] }>;

interface House {
  readonly floors: readonly (readonly string[])[];
  readonly outside: readonly string[];
}

/** Files of ours and the files of ours that they import, types included, as paths from the repository's root. */
const imports = new Map(
  globSync('{bin,lib,functions,local,testing,bench,packages/*/src}/**/*.ts', { cwd: root }).map((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const targets = [...text.matchAll(/(?:from |import\(|import )'(\.[^']+|local-aws)'/g)].map(
      ([, target = '']) => (target.startsWith('.') ? normalize(join(dirname(file), target)) : target),
    );
    return [file, targets] as const;
  }),
);

const houseOf = (file: string): [string, House] | undefined =>
  Object.entries(houses).find(([name]) => file.startsWith(`${name}/`));

/** The number of the floor that a file of a house is on, from the top, and its room. */
function placeOf(file: string, [name, { floors }]: [string, House]): { floor: number; room: string } {
  const room = file.slice(name.length + 1).split('/')[0] ?? '';
  const floor = floors.findIndex((rooms) => rooms.includes(room));
  if (floor === -1 && !room.endsWith('.ts'))
    throw new Error(`${file} is in a room that the plan does not name`);
  return { floor: floor === -1 ? 0 : floor, room: floor === -1 ? '*' : room };
}

/** Why one file of a house may not import another file; undefined when it may. */
function objectionTo(file: string, target: string): string | undefined {
  const house = houseOf(file);
  if (house === undefined) return undefined;
  const [name, { outside }] = house;
  if (!target.startsWith(`${name}/`))
    return outside.some((prefix) => target.startsWith(prefix))
      ? undefined
      : `${file} leaves its house for ${target}`;
  const from = placeOf(file, house);
  const to = placeOf(target, house);
  return from.room === to.room || from.floor < to.floor
    ? undefined
    : `${file} imports ${target}, which is not below it`;
}

/** A file in a room. */
const fileIn = (house: string, room: string): string =>
  `${house}/${room === '*' ? 'entry.ts' : room.endsWith('.ts') ? room : `${room}/file.ts`}`;

describe('imports', () => {
  it('are found at all', () => {
    expect(imports.size).toBeGreaterThan(150);
  });

  it('go down from floor to floor in every house, and leave it only for what its plan names', () => {
    const objections = [...imports].flatMap(([file, targets]) =>
      targets.map((target) => objectionTo(file, target)),
    );

    expect(objections.filter((objection) => objection !== undefined)).toEqual([]);
  });

  it.each(
    Object.entries<House>(houses).flatMap(([name, { floors }]) =>
      floors.slice(1).map((rooms, index) => [name, rooms[0] ?? '', floors[index]?.[0] ?? ''] as const),
    ),
  )('%s: what is in %s may not import what is in %s', (name, lower, upper) => {
    expect(objectionTo(fileIn(name, lower), fileIn(name, upper))).toBeDefined();
    expect(objectionTo(fileIn(name, upper), fileIn(name, lower))).toBeUndefined();
  });

  it.each(
    Object.entries<House>(houses).flatMap(([name, { floors }]) =>
      floors.flatMap(([first, second]) => (first && second ? [[name, first, second] as const] : [])),
    ),
  )('%s: %s and %s, on one floor, do not import each other', (name, first, second) => {
    expect(objectionTo(fileIn(name, first), fileIn(name, second))).toBeDefined();
  });

  it('a room may not import the entry of its name', () => {
    expect(objectionTo('functions/login/file.ts', 'functions/login.ts')).toBeDefined();
  });

  it.each([
    ['functions/login/file.ts', 'lib/settings.ts'],
    ['lib/compute/file.ts', 'functions/tokens/file.ts'],
    ['functions/login/file.ts', 'local-aws'],
    ['lib/compute/file.ts', 'local-aws'],
    ['local/service.ts', 'packages/local-aws/src/stack.ts'],
    ['packages/local-aws/src/stack.ts', 'functions/contracts/routes.ts'],
    ['packages/mini-program/src/client.ts', 'functions/contracts/routes.ts'],
  ])('%s may not import %s of another house', (file, target) => {
    expect(objectionTo(file, target)).toBeDefined();
  });

  it.each(Object.keys(houses))('are explained to contributors for every room of %s', (house) => {
    const rooms = [...imports.keys()]
      .filter((file) => file.startsWith(`${house}/`))
      .flatMap((file) => /^(.+?)\/./.exec(file.slice(house.length + 1))?.[1] ?? []);
    const page = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');

    for (const room of new Set(rooms)) expect(page).toContain(`\`${room}\``);
  });

  it('form no circle, types included', () => {
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      else if (!done.has(file)) {
        for (const target of imports.get(file) ?? []) visit(target, [...path, file]);
        done.add(file);
      }
    };
    for (const file of imports.keys()) visit(file, []);

    expect(circles).toEqual([]);
  });
});

describe('files', () => {
  it('open with a sentence that says why they exist', () => {
    for (const file of imports.keys()) {
      // A team's own, written as it likes.
      if (file === 'lib/config.ts') continue;
      expect(readFileSync(join(root, file), 'utf8'), file).toMatch(/^(#!.*\n)?\/\*\*/);
    }
  });

  it('are in no folder that could hold anything', () => {
    for (const file of imports.keys()) expect(file).not.toMatch(/(^|\/)(utils?|common|helpers?|shared)\//);
  });

  it('are at most fourteen to a folder', () => {
    const tests = globSync('{test,packages/*/test}/**/*.ts', { cwd: root });
    const counts = Map.groupBy([...imports.keys(), ...tests], (file) => dirname(file));

    expect([...counts].filter(([, files]) => files.length > 14).map(([folder]) => folder)).toEqual([]);
  });
});
