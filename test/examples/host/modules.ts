/** `require` of mini-programs: relative files, and packages out of `miniprogram_npm`. */

/** Runs a module's source with these names in scope. */
export type Evaluate = (source: string, path: string, scope: Readonly<Record<string, unknown>>) => void;

/**
 * Answers how to load a module by its path.
 *
 * @param sources text of each module, by its path without `.js`
 * @param globals what every module finds
 */
export function createLoader(
  sources: Readonly<Record<string, string>>,
  globals: Readonly<Record<string, unknown>>,
  evaluate: Evaluate,
): (path: string) => unknown {
  const loaded = new Map<string, { exports: unknown }>();
  const load = (path: string): unknown => {
    const known = loaded.get(path);
    if (known !== undefined) return known.exports;
    const source = sources[path];
    if (source === undefined) throw new Error(`module '${path}.js' is not defined`);
    const module = { exports: {} };
    loaded.set(path, module);
    const require = (name: string) => load(resolve(path, name));
    evaluate(source, path, { ...globals, module, exports: module.exports, require });
    return module.exports;
  };
  return load;
}

function resolve(from: string, name: string): string {
  if (!name.startsWith('.')) return `miniprogram_npm/${name}/index`;
  const parts = from.split('/').slice(0, -1);
  for (const part of name.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}
