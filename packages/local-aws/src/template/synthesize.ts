/** Synthesizes a CDK app as the CDK CLI would, but faster and with a context that the caller gives. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { LocalRunError } from '../errors.ts';
import { makeTemporaryDirectory, type TemporaryDirectory } from '../temporary-directory.ts';

/** A synthesized cloud assembly. */
export type Assembly = TemporaryDirectory;

/** CDK's own rules check the template before a deployment; here they would double the time. */
const withoutValidation = { CDK_VALIDATION: 'false' };

/**
 * Synthesizes into a fresh directory outside the app: a bundle must not find packages in the app's `node_modules` that
 * it would miss in the cloud.
 *
 * @param app directory of the app, where its `cdk.json` is
 * @param context overrides members of the context in `cdk.json`
 * @throws LocalRunError with what the app said when it failed, or when it does not run with node
 */
export async function synthesize(
  app: string,
  context: Readonly<Record<string, unknown>> = {},
): Promise<Assembly> {
  const cdkJson = JSON.parse(await readFile(path.join(app, 'cdk.json'), 'utf8')) as {
    app: string;
    context?: object;
  };
  const [program = '', ...appArguments] = cdkJson.app.split(' ');
  if (!/^(.*\/)?node$/.test(program))
    throw new LocalRunError(`${app}/cdk.json: the app must run with node, such as "node bin/app.ts".`);
  const assembly = await makeTemporaryDirectory();
  try {
    await run(app, appArguments, {
      ...process.env,
      ...withoutValidation,
      CDK_OUTDIR: assembly.directory,
      CDK_CONTEXT_JSON: JSON.stringify({ ...cdkJson.context, ...context }),
    });
  } catch (error) {
    await assembly.remove();
    throw error;
  }
  return assembly;
}

function run(cwd: string, appArguments: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  execFile(process.execPath, appArguments, { cwd, env, maxBuffer: 64 * 1024 * 1024 }, (error, _, stderr) => {
    if (error === null) resolve();
    else reject(new LocalRunError(`The stack cannot be synthesized:\n${readable(stderr)}`, { cause: error }));
  });
  return promise;
}

/** Leaves out stack frames and the very long source lines that Node prints above errors in libraries. */
function readable(stderr: string): string {
  return stderr
    .split('\n')
    .filter((line) => line.trim() !== '' && line.length < 400 && !/^\s+at |^Node\.js v|^npm warn/.test(line))
    .join('\n');
}
