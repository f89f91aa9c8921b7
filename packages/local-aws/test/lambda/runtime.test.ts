import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Invocation } from '../../src/lambda/environment.ts';
import { readFunctions } from '../../src/lambda/functions.ts';
import { createLambdaRuntime } from '../../src/lambda/runtime.ts';
import type { Resource } from '../../src/template/assembly.ts';
import { createResolver } from '../../src/template/intrinsics.ts';
import { lambda, startFunctions, template } from '../fixtures/assembly.ts';

const payload = (invocation: Invocation): unknown => {
  if (!invocation.ok) throw new Error(invocation.error.errorMessage);
  return JSON.parse(invocation.payload);
};

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('a function', () => {
  test('sees exactly its template variables and those Lambda sets', async () => {
    process.env.LEAKED_FROM_PARENT = 'yes';
    const resources = {
      Fn: lambda('Fn', { MemorySize: 256, Environment: { Variables: { COLOUR: 'red', COUNT: 3 } } }),
    };
    const source = 'export const handler = async () => process.env;';
    const functions = readFunctions(createResolver(template(resources, { Fn: source })), {
      dynamodb: 'http://127.0.0.1:1',
      secretsManager: 'http://127.0.0.1:2',
    });
    const runtime = createLambdaRuntime(functions);

    const seen = payload(await runtime.invoke('Fn', {}));
    await runtime.close();

    expect(seen).toEqual({
      COLOUR: 'red',
      COUNT: '3',
      _HANDLER: 'index.handler',
      AWS_ACCESS_KEY_ID: 'Fn',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:1',
      AWS_ENDPOINT_URL_SECRETS_MANAGER: 'http://127.0.0.1:2',
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      AWS_LAMBDA_FUNCTION_NAME: expect.stringMatching(/^Demo-Fn-/),
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_REGION: 'us-east-1',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_SESSION_TOKEN: 'local',
      LAMBDA_TASK_ROOT: expect.stringMatching(/asset\.Fn$/),
      LANG: 'en_US.UTF-8',
      PATH: '/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin',
      TZ: ':UTC',
    });
  });

  test('says of each line which invocation wrote it, while several run at once', async () => {
    const written: (readonly [string, string | undefined])[] = [];
    const source = `console.log('INIT'); export const handler = async (_, { awsRequestId }) => {
      console.log(awsRequestId); await new Promise(setImmediate); console.error(awsRequestId); };`;
    const functions = readFunctions(createResolver(template({ Fn: lambda('Fn') }, { Fn: source })), {});
    const runtime = createLambdaRuntime(functions, (_, line, invocationId) =>
      written.push([line, invocationId]),
    );

    await runtime.warm('Fn');
    await Promise.all([runtime.invoke('Fn', {}), runtime.invoke('Fn', {}), runtime.invoke('Fn', {})]);
    await runtime.close();

    const lines = written.filter(([line]) => line !== 'INIT');
    expect(lines).toHaveLength(6);
    for (const [line, invocationId] of lines) expect(invocationId).toBe(line);
    expect(written).toContainEqual(['INIT', undefined]);
  });

  test('gets the event and a context, and returns JSON', async () => {
    const { runtime } = startFunctions(
      {
        Fn: `export const handler = async (event, context) => ({
          event, context, left: context.getRemainingTimeInMillis(), cwd: process.cwd() === process.env.LAMBDA_TASK_ROOT });`,
      },
      { Timeout: 300 },
    );

    const result = payload(await runtime.invoke('Fn', { text: '微信', list: [1, null] }));

    expect(result).toMatchObject({
      event: { text: '微信', list: [1, null] },
      cwd: true,
      context: {
        awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        functionVersion: '$LATEST',
        invokedFunctionArn: expect.stringMatching(/^arn:aws:lambda:us-east-1:000000000000:function:Demo-Fn-/),
        memoryLimitInMB: '128',
      },
    });
    expect((result as { left: number }).left).toBeGreaterThan(0);
    expect((result as { left: number }).left).toBeLessThanOrEqual(300_000);
  });

  test('may await at the top of its module, and keeps its state between invocations', async () => {
    const { runtime } = startFunctions({
      Fn: 'const started = await new Promise((r) => setTimeout(r, 20, 1)); let n = 0; export const handler = async () => started + n++;',
    });

    const results = [await runtime.invoke('Fn', {}), await runtime.invoke('Fn', {})];

    expect(results.map(payload)).toEqual([1, 2]);
  });

  test('that throws responds with the type and message of the error, which is logged', async () => {
    const { runtime, lines } = startFunctions({
      Fn: `let n = 0; export const handler = async ({ what }) => { n++; if (what === 'error') throw new RangeError('too far'); if (what === 'text') throw 'plain'; return n; };`,
    });

    const error = await runtime.invoke('Fn', { what: 'error' });
    const text = await runtime.invoke('Fn', { what: 'text' });
    const after = await runtime.invoke('Fn', {});

    expect(error).toMatchObject({ ok: false, error: { errorType: 'RangeError', errorMessage: 'too far' } });
    expect(text).toMatchObject({ ok: false, error: { errorType: 'string', errorMessage: 'plain' } });
    expect(payload(after)).toBe(3);
    expect(lines[0]).toContain('too far');
  });

  test('is replaced by what its bundle is now, once those that are busy have finished', async () => {
    const files = {
      Fn: 'console.log(process.pid); export const handler = ({ ms }) => new Promise((r) => setTimeout(r, ms, 1));',
    };
    const { runtime, lines } = startFunctions(files, { Timeout: 300 });
    const [spec] = runtime.functions;
    await runtime.invoke('Fn', { ms: 0 });
    const [idle] = lines.map(Number);
    const busy = runtime.invoke('Fn', { ms: 500 });

    writeFileSync(join(spec?.directory ?? '', 'index.mjs'), 'export const handler = async () => 2;');
    await runtime.replace('Fn');

    expect(payload(await runtime.invoke('Fn', {}))).toBe(2);
    expect(payload(await busy)).toBe(1);
    expect(payload(await runtime.invoke('Fn', {}))).toBe(2);
    expect(isRunning(idle ?? 0)).toBe(false);
  });

  test('that does not start after a change says why, and is tried again with the next invocation', async () => {
    const { runtime } = startFunctions({ Fn: 'export const handler = async () => 1;' });
    const file = join(runtime.functions[0]?.directory ?? '', 'index.mjs');
    await runtime.invoke('Fn', {});

    writeFileSync(file, "throw new RangeError('not today');");
    await expect(runtime.replace('Fn')).rejects.toThrow('Fn failed to start: RangeError: not today');
    writeFileSync(file, 'export const handler = async () => 2;');

    expect(payload(await runtime.invoke('Fn', {}))).toBe(2);
  });

  test('that takes too long is ended, and the next invocation starts afresh', async () => {
    const { runtime, lines } = startFunctions(
      {
        Fn: 'let n = 0; export const handler = async ({ hang }) => { n++; if (hang) await new Promise((r) => setTimeout(r, 60_000)); return n; };',
      },
      { Timeout: 1 },
    );
    await runtime.invoke('Fn', {});
    const startedAt = performance.now();

    const hung = await runtime.invoke('Fn', { hang: true });

    const took = performance.now() - startedAt;
    expect(hung).toMatchObject({ ok: false, error: { errorType: 'Sandbox.Timedout' } });
    expect(hung.ok || hung.error.errorMessage).toMatch(/Task timed out after 1\.00 seconds$/);
    expect(took).toBeGreaterThan(950);
    expect(lines.at(-1)).toMatch(/Task timed out/);
    expect(payload(await runtime.invoke('Fn', {}))).toBe(1);
  });

  test('that blocks the event loop is ended all the same', async () => {
    const { runtime } = startFunctions(
      { Fn: 'export const handler = async () => { for (;;); };' },
      { Timeout: 1 },
    );

    expect(await runtime.invoke('Fn', {})).toMatchObject({
      ok: false,
      error: { errorType: 'Sandbox.Timedout' },
    });
  });

  test.each([
    [
      'throws while it loads',
      'console.error("loading"); throw new TypeError("no table");',
      'TypeError',
      'no table',
    ],
    ['exits while it loads', 'process.exit(3);', 'Runtime.ExitError', 'exit status 3'],
    ['exports no handler', 'export const other = 1;', 'Runtime.HandlerNotFound', 'index.handler'],
    [
      'has a callback handler',
      'export const handler = (event, context, callback) => {};',
      'Runtime.CallbackHandlerDeprecated',
      'nodejs24.x',
    ],
    ['exits', 'export const handler = async () => process.exit(4);', 'Runtime.ExitError', 'exit status 4'],
    ['returns what is not JSON', 'export const handler = async () => 1n;', 'TypeError', 'BigInt'],
  ])('that %s fails its invocation, which is told why', async (_, source, errorType, message) => {
    const { runtime } = startFunctions({ Fn: source });

    const invocation = await runtime.invoke('Fn', {});

    expect(invocation).toMatchObject({ ok: false, error: { errorType } });
    expect(invocation.ok || invocation.error.errorMessage).toContain(message);
  });

  test('that cannot start fails its warm-up in one sentence', async () => {
    const { runtime } = startFunctions({ Fn: 'throw new Error("TABLE_NAME is missing");' });

    await expect(runtime.warm('Fn')).rejects.toThrow(
      'Function Fn failed to start: Error: TABLE_NAME is missing',
    );
  });

  test('has had all it logged passed on when its response arrives, even without a line end', async () => {
    const { runtime, lines } = startFunctions({
      Fn: `export const handler = async ({ n }) => {
        for (let line = 0; line < 500; line++) { console.log(n + ' out'); console.error(n + ' err'); }
        process.stdout.write(n + ' rest');
      };`,
    });

    for (let n = 1; n <= 20; n++) {
      await runtime.invoke('Fn', { n });
      expect(lines.filter((line) => line.startsWith(`${n} `))).toHaveLength(1001);
    }
  });
});

describe('environments', () => {
  const counting =
    'export const handler = async ({ ms = 0 }) => { await new Promise((r) => setTimeout(r, ms)); return process.pid; };';

  test('serve one invocation at a time; the fourth waits when three are the limit', async () => {
    const { runtime } = startFunctions({ Fn: counting }, { ReservedConcurrentExecutions: 3 });
    await runtime.warm('Fn');

    const pids = await Promise.all(
      Array.from({ length: 9 }, async () => payload(await runtime.invoke('Fn', { ms: 50 }))),
    );

    expect(new Set(pids).size).toBe(3);
  });

  test('are reused one after the other', async () => {
    const { runtime } = startFunctions({ Fn: counting });

    const pids = [await runtime.invoke('Fn', {}), await runtime.invoke('Fn', {})].map(payload);

    expect(new Set(pids).size).toBe(1);
  });

  test('are all gone after close, and nothing can be invoked any more', async () => {
    const { runtime } = startFunctions({ Fn: counting });
    const pids = await Promise.all([1, 2].map(async () => payload(await runtime.invoke('Fn', { ms: 50 }))));
    expect((pids as number[]).every(isRunning)).toBe(true);

    await runtime.close();

    expect((pids as number[]).some(isRunning)).toBe(false);
    await expect(runtime.invoke('Fn', {})).rejects.toThrow('after the local run had ended');
  });

  test('do not outlive a parent that is killed', async () => {
    const runtimeUrl = new URL('../../src/lambda/runtime.ts', import.meta.url).href;
    const { runtime } = startFunctions({ Fn: counting });
    const parent = spawn(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `import { createLambdaRuntime } from '${runtimeUrl}';
         const runtime = createLambdaRuntime(${JSON.stringify(runtime.functions)});
         console.log((await runtime.invoke('Fn', {})).payload);`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [text] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(text.toString());
    expect(isRunning(pid)).toBe(true);

    parent.kill('SIGKILL');

    await expect.poll(() => isRunning(pid), { timeout: 100_000 }).toBe(false);
  });

  test('that die between two invocations are replaced', async () => {
    const { runtime } = startFunctions({
      Fn: 'export const handler = async () => { setTimeout(() => process.exit(1), 10); return process.pid; };',
    });
    const first = payload(await runtime.invoke('Fn', {}));
    await expect.poll(() => isRunning(Number(first)), { timeout: 100_000 }).toBe(false);

    const second = payload(await runtime.invoke('Fn', {}));

    expect(second).not.toBe(first);
  });
});

describe('a function of the template', () => {
  const read = (properties: Resource['Properties'], sources = { Fn: '' }) => {
    const resources = { Fn: lambda('Fn', properties) };
    return () => readFunctions(createResolver(template(resources, sources)), {});
  };

  test.each<[what: string, properties: Resource['Properties'], message: string]>([
    ['a layer', { Layers: ['arn'] }, 'Fn.Layers: this property is not supported by the local run.'],
    [
      'another runtime',
      { Runtime: 'nodejs22.x' },
      'Fn.Runtime: "nodejs22.x" (only nodejs24.x) is not supported by the local run.',
    ],
    [
      'inline code',
      { Code: { ZipFile: '' } },
      'Fn.Code: code that is not a CDK asset is not supported by the local run.',
    ],
    [
      'an asset that is not there',
      { Code: { S3Key: 'gone.zip' } },
      'Fn.Code: the cloud assembly has no asset gone.zip.',
    ],
    [
      'a variable that is not text',
      { Environment: { Variables: { A: ['x'] } } },
      'Fn.Environment.A: a variable must be text, not ["x"].',
    ],
    [
      'a variable of Lambda itself',
      { Environment: { Variables: { AWS_REGION: 'x' } } },
      'Fn.Environment.AWS_REGION: Lambda sets this variable itself',
    ],
  ])('with %s is refused, naming the property', (_, properties, message) => {
    expect(read(properties)).toThrow(message);
  });

  test('is found by its ARN with and without a qualifier, and not by anything else', async () => {
    const { runtime } = startFunctions({ Fn: 'export const handler = async () => 1;' });
    const arn = runtime.functions[0]?.arn ?? '';

    expect(payload(await runtime.invoke(arn, {}))).toBe(1);
    expect(payload(await runtime.invoke(`${arn}:live`, {}))).toBe(1);
    await expect(runtime.invoke(`${arn}x`, {})).rejects.toThrow('There is no function');
  });
});
