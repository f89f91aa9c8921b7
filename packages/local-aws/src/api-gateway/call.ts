/** What the parts of the gateway hand to each other: a method of the API and one call of it. */

import type { Invocation } from '../lambda/environment.ts';
import type { Json, JsonObject } from '../template/assembly.ts';
import type { Authorizer } from './authorizers/policy-authorizer.ts';
import type { ApiRequest } from './request.ts';
import type { ApiResponse } from './response.ts';
import type { Routable } from './router.ts';

/**
 * Invokes a function for an API.
 *
 * @param sourceArn the part of the API that asks, which the function's permissions name: a method, a route or an
 *   authorizer
 * @throws LocalRunError when there is no such function, or no permission to invoke it
 */
export type InvokeFunction = (functionArn: string, event: Json, sourceArn: string) => Promise<Invocation>;

/** What a request was answered, and why if not by an integration. */
export interface Answer {
  readonly response: ApiResponse;
  /** The gateway response that was answered, when the gateway refused. */
  readonly refusal?: string;
  /** What went wrong in the local run itself, when that is why it refused. */
  readonly fault?: string;
}

/** An API, whatever its kind, as the gateway serves it. */
export interface ServedApi {
  /** @param tooLarge the body was over the limit and is not in the request */
  answer(request: ApiRequest, tooLarge: boolean): Promise<Answer>;
  /** Decides about a WebSocket handshake; only WebSocket APIs do. */
  readonly connect?: (request: ApiRequest) => Promise<Answer | WebSocketConnection>;
}

/** A WebSocket connection that was let in. */
export interface WebSocketConnection {
  /** The sub-protocol the handshake is answered with. */
  readonly protocol: string | undefined;
  /** Answers a message; a response with a body goes back to the client. */
  message(text: string): Promise<RoutedAnswer>;
  /** Tells the API that the connection has ended; nobody is left to read the answer. */
  disconnect(code: number, reason: string): Promise<RoutedAnswer>;
}

/** The answer to what came over an open connection. */
export interface RoutedAnswer extends Answer {
  readonly requestId: string;
  readonly routeKey: string;
}

/** One request that was routed to a method. */
export interface MethodCall {
  readonly request: ApiRequest;
  readonly pathParameters: Readonly<Record<string, string>>;
  readonly stageVariables: Readonly<Record<string, string>>;
  /** `$context`, which is also `requestContext` of events. */
  readonly context: JsonObject;
}

/** Answers a call. @throws Refusal when the gateway has to answer instead */
export type Integration = (call: MethodCall) => Promise<ApiResponse>;

/** A method of a resource. */
export interface ApiMethod extends Routable {
  readonly logicalId: string;
  readonly resourceId: string;
  readonly authorizer: Authorizer | undefined;
  /** Request parameters a validator insists on. */
  readonly requiredParameters: readonly RequiredParameter[];
  readonly integration: Integration;
}

/** A header or query parameter that must be there. */
export interface RequiredParameter {
  readonly position: 'header' | 'querystring';
  readonly name: string;
}

/**
 * The function an integration or authorizer URI points at; undefined when it points elsewhere.
 */
export function functionArnOf(uri: Json | undefined): string | undefined {
  return /^arn:[^:]+:apigateway:[^:]+:lambda:path\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(
    String(uri),
  )?.[1];
}

/** Resolves to `otherwise` when the work takes longer; the work itself goes on. */
export async function withinMs<T, O>(work: Promise<T>, ms: number, otherwise: O): Promise<T | O> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<O>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
