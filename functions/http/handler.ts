/** Turns routes into a Lambda handler: dispatch, the one place errors become answers, one log line a request. */
import { performance } from 'node:perf_hooks';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { ErrorCode } from '../contracts/errors.ts';
import type { RouteKey } from '../contracts/routes.ts';
import { DomainError } from '../errors/domain-error.ts';
import { describeError } from '../telemetry/describe-error.ts';
import type { Log, LogFields } from '../telemetry/logger.ts';
import { failure, success } from './envelope.ts';
import { headerOf } from './header.ts';
import { preferredLanguage } from './language.ts';

/** Answers one route: the envelope's `data`. It may add safe fields to the request's log line. */
export type RouteHandler = (event: APIGatewayProxyEvent, log: LogFields) => Promise<object>;

/** One answered request. */
export interface AnsweredRequest {
  /** Method and resource: a `RouteKey`, or what no function here answers. */
  readonly route: string;
  readonly status: number;
  readonly outcome: 'ok' | ErrorCode;
  /** From the event to the answer, whole milliseconds. */
  readonly durationMs: number;
  /** What the route has added to the log line. */
  readonly trace: LogFields;
}

/** Is told of every request after its answer is made; it must not throw. */
export type Observe = (request: AnsweredRequest) => void;

/**
 * A handler for API Gateway's proxy events that answers the given routes.
 *
 * @param log gets one line a request: `request_id`, `route`, `status`, `outcome` (`ok` or an error code),
 *   `duration_ms`, and what the route adds.
 * @param observers are told of each request after its line is written
 */
export function createHttpHandler(
  routeHandlers: Partial<Record<RouteKey, RouteHandler>>,
  log: Log,
  observers: readonly Observe[],
): (event: APIGatewayProxyEvent) => Promise<APIGatewayProxyResult> {
  return async (event) => {
    const startedAt = performance.now();
    const requestId = event.requestContext.requestId;
    const route = `${event.httpMethod} ${event.resource}`;
    const fields: LogFields = {};
    let response: APIGatewayProxyResult;
    let outcome: AnsweredRequest['outcome'] = 'ok';
    try {
      const routeHandler = routeHandlers[route as RouteKey];
      if (routeHandler === undefined) throw new DomainError('not_found');
      response = success(await routeHandler(event, fields), requestId);
    } catch (thrown) {
      const error = thrown instanceof DomainError ? thrown : new DomainError('internal', { cause: thrown });
      outcome = error.code;
      Object.assign(fields, describeError(error), wechatFields(error));
      response = failure(error, requestId, preferredLanguage(headerOf(event.headers, 'accept-language')));
    }
    const status = response.statusCode;
    const durationMs = Math.round(performance.now() - startedAt);
    log[status >= 500 ? 'error' : 'info']('request', {
      request_id: requestId,
      route,
      status,
      outcome,
      duration_ms: durationMs,
      ...fields,
    });
    for (const observe of observers) observe({ route, status, outcome, durationMs, trace: fields });
    return response;
  };
}

/** WeChat's own number for a failure and its request id are what its support asks for. */
function wechatFields(error: DomainError): LogFields {
  return {
    ...('errcode' in error && typeof error.errcode === 'number' && { wechat_errcode: error.errcode }),
    ...('rid' in error && typeof error.rid === 'string' && { wechat_rid: error.rid }),
  };
}
