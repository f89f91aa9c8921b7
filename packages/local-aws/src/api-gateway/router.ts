/** Finds the method or route for a request, with API Gateway's precedence of paths. */
import { Refusal } from './refusal.ts';

/** What a router chooses from. */
export interface Routable {
  /** `ANY` or an HTTP method. */
  readonly httpMethod: string;
  /** `/member/{id}`. */
  readonly resourcePath: string;
}

/** What serves a request, and what its path stands for. */
export interface RouteMatch<Route extends Routable> {
  readonly route: Route;
  /** Values of `{name}` and `{name+}`, not decoded. */
  readonly pathParameters: Readonly<Record<string, string>>;
}

/** Finds a route; undefined when the API has none for this method and path. */
type Router<Route extends Routable> = (httpMethod: string, path: string) => RouteMatch<Route> | undefined;

/** Creates a router. Fixed segments win over `{name}`, those over `{name+}`; a method over `ANY`. */
export function createRouter<Route extends Routable>(all: readonly Route[]): Router<Route> {
  const routes = all
    .map((route) => ({ route, segments: segmentsOf(route.resourcePath) }))
    .sort((a, b) => rank(a.segments).localeCompare(rank(b.segments)) || anyLast(a.route) - anyLast(b.route));
  return (httpMethod, path) => {
    const segments = segmentsOf(path);
    for (const { route, segments: pattern } of routes) {
      if (route.httpMethod !== 'ANY' && route.httpMethod !== httpMethod) continue;
      const pathParameters = match(pattern, segments);
      if (pathParameters !== undefined) return { route, pathParameters };
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

function anyLast(route: Routable): number {
  return route.httpMethod === 'ANY' ? 1 : 0;
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

/** Path parameters as integrations see them. @throws Refusal when one is not valid percent-encoding */
export function decodeParameters(parameters: Readonly<Record<string, string>>): Record<string, string> {
  try {
    return Object.fromEntries(
      Object.entries(parameters).map(([name, value]) => [name, decodeURIComponent(value)]),
    );
  } catch {
    throw new Refusal('DEFAULT_4XX', 'Bad Request');
  }
}
