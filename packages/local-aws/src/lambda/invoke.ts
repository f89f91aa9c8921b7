/** How an API calls a function: the type that is handed around, and the URI that names the function in a template. */
import type { Json } from '../json.ts';
import type { Invocation } from './environment.ts';

/**
 * Invokes a function for an API.
 *
 * @param sourceArn the part of the API that calls, which the function's permissions name: a method, a route or an
 *   authorizer
 * @throws LocalRunError when there is no such function, or no permission to invoke it
 */
export type InvokeFunction = (functionArn: string, event: Json, sourceArn: string) => Promise<Invocation>;

/** The function that an integration or authorizer URI points at; undefined when it points elsewhere. */
export function functionArnOf(uri: Json | undefined): string | undefined {
  return /^arn:[^:]+:apigateway:[^:]+:lambda:path\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(
    String(uri),
  )?.[1];
}
