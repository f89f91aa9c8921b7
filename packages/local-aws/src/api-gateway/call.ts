/** A request that was routed, and what responds to it. */
import type { JsonObject } from '../json.ts';
import type { ApiRequest } from './request.ts';
import type { ApiResponse } from './response.ts';

/** One request that was routed to a method or route. */
export interface MethodCall {
  readonly request: ApiRequest;
  readonly pathParameters: Readonly<Record<string, string>>;
  readonly stageVariables: Readonly<Record<string, string>>;
  /** `$context`, which is also `requestContext` of events. */
  readonly context: JsonObject;
}

/** Responds to a call. @throws Refusal when the gateway has to respond instead */
export type Integration = (call: MethodCall) => Promise<ApiResponse>;
