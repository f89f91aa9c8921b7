/**
 * How a function becomes one minified file, with a map beside it that holds our own files alone: small enough to be
 * deployed with every version, which it then always fits (docs/decisions/0016).
 */
import { globSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { decode, encode, type SourceMapSegment } from '@jridgewell/sourcemap-codec';
import { type BuildOptions, buildSync, type Metafile, type OutputFile } from 'esbuild';
import type { FunctionName } from '../../functions/contracts/environment.ts';
import { builtinModuleAliases } from './builtin-modules.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A bundle carries its own SDK, from the ES modules: the cold start is a third of the runtime's SDK. */
export const options = {
  absWorkingDir: root,
  bundle: true,
  metafile: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  // The ES modules of a package can be tree-shaken, its CommonJS cannot.
  mainFields: ['module', 'main'],
  // What a Lambda never uses: it is imported lazily, and never here. Only so does the rest of @smithy/core stay a set of
  // modules that esbuild can shake.
  external: [
    '@aws-sdk/credential-provider-http',
    '@aws-sdk/credential-provider-ini',
    '@aws-sdk/credential-provider-login',
    '@aws-sdk/credential-provider-process',
    '@aws-sdk/credential-provider-sso',
    '@aws-sdk/credential-provider-web-identity',
    '@aws-sdk/token-providers',
    '@smithy/credential-provider-imds',
    '@smithy/core/event-streams',
    'bowser',
    // undici's: for bodies that are neither text nor bytes, and for an engine without SIMD in WebAssembly.
    '*/web/fetch/body.js',
    '*/llhttp/llhttp-wasm.js',
  ],
  alias: {
    ...builtinModuleAliases,
    // Of a feature of DynamoDB's client that is off (functions/aws/clients.ts).
    '@aws-sdk/endpoint-cache':
      'data:text/javascript,export class EndpointCache{get(){throw new Error("a bundle discovers no endpoints")}}',
  },
  // Asking whether a response is a web stream would load all of them. Ours are Node's own streams.
  define: { ReadableStream: 'undefined', 'process.env.JEST_WORKER_ID': 'undefined' },
  inject: ['functions/telemetry/mapped-stacks.ts'],
  outExtension: { '.js': '.mjs' },
  write: false,
  logLevel: 'warning',
} as const satisfies BuildOptions;

const minified = { minify: true, sourcemap: 'external', sourcesContent: false } as const;
const forDebugger = { minify: false, sourcemap: 'both', sourcesContent: true } as const;

/**
 * Writes `index.mjs` and `index.mjs.map` into a directory, the same bytes wherever that is.
 *
 * @param inspectable for a debugger: not minified, and with a whole map inside
 * @returns what is in it
 */
export function bundle(name: FunctionName, directory: string, inspectable = false): Metafile {
  const { outputFiles, metafile } = buildSync({
    ...options,
    ...(inspectable ? forDebugger : minified),
    entryPoints: { index: `functions/${name}.ts` },
    outdir: directory,
  });
  write(outputFiles, directory);
  return metafile;
}

let ofEveryFunction: readonly OutputFile[] | undefined;

/** The same for a stack, which has most functions: one build makes them all in half the time, and only once a process. */
export function bundleForStack(name: FunctionName, directory: string): void {
  ofEveryFunction ??= buildSync({
    ...options,
    ...minified,
    entryPoints: globSync('functions/*.ts', { cwd: root }).map((file) => ({
      in: file,
      out: `${path.basename(file, '.ts')}/index`,
    })),
    outdir: root,
  }).outputFiles;
  write(
    ofEveryFunction.filter((file) => path.basename(path.dirname(file.path)) === name),
    directory,
  );
}

function write(files: readonly OutputFile[], directory: string): void {
  for (const file of files)
    writeFileSync(
      path.join(directory, path.basename(file.path)),
      file.path.endsWith('.map') ? ownFilesOf(file) : file.contents,
    );
}

/** The map without what is of packages, with paths as the repository has them. */
function ownFilesOf(map: OutputFile): string {
  const { sources, mappings } = JSON.parse(map.text) as { sources: string[]; mappings: string };
  const paths = sources.map((source) => path.relative(root, path.resolve(map.path, '..', source)));
  const own = paths.filter((source) => source.startsWith('functions/'));
  const lines = decode(mappings).map((segments) =>
    segments
      .map(([column, source = -1, line = 0, sourceColumn = 0]): SourceMapSegment => {
        const index = own.indexOf(paths[source] ?? '');
        return index < 0 ? [column] : [column, index, line, sourceColumn];
      })
      .filter((segment, at, all) => segment.length > 1 || all[at - 1]?.length !== 1),
  );
  return JSON.stringify({ version: 3, sources: own, names: [], mappings: encode(lines) });
}
