/** What the parts of the gateway hand to each other: a method of the API and one call of it. */
import type { ApiRequest } from './api-request.ts';
import type { ApiResponse } from './api-response.ts';
import type { Authorizer } from './authorizer.ts';
import type { Invocation } from './lambda-environment.ts';
import type { Json, JsonObject } from './template.ts';

/** Invokes a function by its ARN. */
export type InvokeFunction = (functionArn: string, event: Json) => Promise<Invocation>;

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
export interface ApiMethod {
  readonly logicalId: string;
  /** `ANY` or an HTTP method. */
  readonly httpMethod: string;
  readonly resourceId: string;
  /** `/member/{id}`. */
  readonly resourcePath: string;
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
