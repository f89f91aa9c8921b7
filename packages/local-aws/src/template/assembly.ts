/** Reads a cloud assembly: the stack's template as CloudFormation would get it, and where its assets lie on disk. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { LocalRunError } from '../errors.ts';
import type { Json, JsonObject } from '../json.ts';

/** A resource as the template writes it, intrinsic functions unresolved. */
export interface Resource {
  readonly Type: string;
  readonly Properties?: JsonObject;
}

/** A template parameter. */
export interface Parameter {
  readonly Type: string;
  readonly Default?: string | number;
}

/** A stack's template. */
export interface Template {
  readonly stackName: string;
  readonly resources: Readonly<Record<string, Resource>>;
  readonly parameters: Readonly<Record<string, Parameter>>;
  readonly mappings: Readonly<Record<string, Json>>;
  readonly outputs: Readonly<Record<string, { readonly Value: Json }>>;
  /** Directory of each asset, by the S3 key the template names it with. */
  readonly assets: ReadonlyMap<string, string>;
}

interface Artifact {
  readonly type: string;
  readonly properties?: {
    readonly templateFile?: string;
    readonly stackName?: string;
    readonly file?: string;
  };
}

interface AssetManifest {
  readonly files?: Record<
    string,
    {
      readonly source: { readonly path?: string };
      readonly destinations: Record<string, { readonly objectKey: string }>;
    }
  >;
}

/**
 * Loads the only stack of a cloud assembly.
 *
 * @throws LocalRunError when it does not hold exactly one, or a file of it cannot be read
 */
export function loadTemplate(assemblyDir: string): Template {
  const manifest = readJson<{ artifacts?: Record<string, Artifact> }>(
    path.join(assemblyDir, 'manifest.json'),
  );
  const artifacts = Object.entries(manifest.artifacts ?? {});
  const stacks = artifacts
    .filter(([, artifact]) => artifact.type === 'aws:cloudformation:stack')
    .map(([id, { properties }]) => ({
      name: properties?.stackName ?? id,
      file: properties?.templateFile ?? '',
    }));
  const [stack, ...others] = stacks;
  if (stack === undefined || others.length > 0) {
    const there = stacks.map(({ name }) => name).join(', ') || 'none';
    throw new LocalRunError(`The cloud assembly must hold exactly one stack; it holds: ${there}.`);
  }

  const template = readJson<JsonObject>(path.join(assemblyDir, stack.file));
  const section = <T>(name: string): Record<string, T> => (template[name] ?? {}) as Record<string, T>;
  return {
    stackName: stack.name,
    resources: section<Resource>('Resources'),
    parameters: section<Parameter>('Parameters'),
    mappings: section<Json>('Mappings'),
    outputs: section<{ Value: Json }>('Outputs'),
    assets: new Map(artifacts.flatMap(([, artifact]) => assetsOf(assemblyDir, artifact))),
  };
}

function assetsOf(assemblyDir: string, artifact: Artifact): [key: string, directory: string][] {
  if (artifact.type !== 'cdk:asset-manifest' || artifact.properties?.file === undefined) return [];
  const { files = {} } = readJson<AssetManifest>(path.join(assemblyDir, artifact.properties.file));
  return Object.values(files).flatMap(({ source, destinations }) =>
    source.path === undefined
      ? []
      : Object.values(destinations).map(({ objectKey }): [string, string] => [
          objectKey,
          path.resolve(assemblyDir, source.path ?? ''),
        ]),
  );
}

function readJson<T>(file: string): T {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch (cause) {
    throw new LocalRunError(`Cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
}
