/** Finds the method for a request, the way API Gateway prefers one path over another. */
import type { ApiMethod } from './api-method.ts';

/** A method that serves a request, and what its path stands for. */
export interface RouteMatch {
  readonly method: ApiMethod;
  /** Values of `{name}` and `{name+}`, not decoded. */
  readonly pathParameters: Readonly<Record<string, string>>;
}

/** Finds the method; undefined when the API has none for this method and path. */
export type Router = (httpMethod: string, path: string) => RouteMatch | undefined;

/** Creates a router. Fixed segments win over `{name}`, those over `{name+}`; a method over `ANY`. */
export function createRouter(methods: readonly ApiMethod[]): Router {
  const routes = methods
    .map((method) => ({ method, segments: segmentsOf(method.resourcePath) }))
    .sort(
      (a, b) => rank(a.segments).localeCompare(rank(b.segments)) || anyLast(a.method) - anyLast(b.method),
    );
  return (httpMethod, path) => {
    const segments = segmentsOf(path);
    for (const { method, segments: pattern } of routes) {
      if (method.httpMethod !== 'ANY' && method.httpMethod !== httpMethod) continue;
      const pathParameters = match(pattern, segments);
      if (pathParameters !== undefined) return { method, pathParameters };
    }
    return undefined;
  };
}

/** API Gateway ignores slashes at the end of a path. */
function segmentsOf(path: string): readonly string[] {
  const trimmed = path.replace(/\/+$/, '').slice(1);
  return trimmed === '' ? [] : trimmed.split('/');
}

/** Sorts routes segment by segment: fixed text first, then a parameter, then a greedy parameter. */
function rank(segments: readonly string[]): string {
  return segments.map((segment) => (segment.endsWith('+}') ? 2 : segment.startsWith('{') ? 1 : 0)).join('');
}

function anyLast(method: ApiMethod): number {
  return method.httpMethod === 'ANY' ? 1 : 0;
}

function match(
  pattern: readonly string[],
  segments: readonly string[],
): Readonly<Record<string, string>> | undefined {
  const values: Record<string, string> = {};
  for (const [at, part] of pattern.entries()) {
    const segment = segments[at];
    if (segment === undefined) return undefined;
    if (part.endsWith('+}')) {
      values[part.slice(1, -2)] = segments.slice(at).join('/');
      return values;
    }
    if (part.startsWith('{')) values[part.slice(1, -1)] = segment;
    else if (part !== segment) return undefined;
  }
  return pattern.length === segments.length ? values : undefined;
}
