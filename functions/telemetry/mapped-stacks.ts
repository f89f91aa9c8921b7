/**
 * Lets stacks name our TypeScript files and lines although what runs is a minified bundle. The map beside the bundle is
 * read with the first stack that is looked at, so a start does not pay for it (docs/decisions/0016). No module imports
 * this one: lib/compute/bundle.ts puts it in front of each bundle.
 */
import { readFileSync } from 'node:fs';
import type { SourceMap } from 'node:module';

let map: SourceMap | undefined;

/** `functions/login/log-in.ts:66:11`; undefined for the code of packages, which the map leaves out. */
function originOf(line: number, column: number): string | undefined {
  if (map === undefined) {
    const { SourceMap } = process.getBuiltinModule('node:module');
    map = new SourceMap(JSON.parse(readFileSync(new URL(`${import.meta.url}.map`), 'utf8')));
  }
  const origin = map.findOrigin(line, column);
  return 'fileName' in origin ? `${origin.fileName}:${origin.lineNumber}:${origin.columnNumber}` : undefined;
}

function textOf(frame: NodeJS.CallSite): string {
  const text = String(frame);
  const line = frame.getLineNumber();
  const column = frame.getColumnNumber();
  if (frame.getFileName() !== import.meta.url || line === null || column === null) return text;
  try {
    const origin = originOf(line, column);
    return origin === undefined ? text : text.replace(`${import.meta.url}:${line}:${column}`, origin);
  } catch {
    // A stack that cannot be mapped is still a stack.
    return text;
  }
}

Error.prepareStackTrace = (error, frames) =>
  [String(error), ...frames.map((frame) => `    at ${textOf(frame)}`)].join('\n');
