/** Turns routes into a Lambda handler: dispatch, the one place errors become answers, one log line a request. */
import { performance } from 'node:perf_hooks';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { DomainError } from '../errors/domain-error.ts';
import { describeError } from '../log/describe-error.ts';
import type { Log, LogFields } from '../log/logger.ts';
import { failure, success } from './envelope.ts';
import { headerOf } from './header.ts';
import { preferredLanguage } from './language.ts';
import type { RouteKey } from './routes.ts';

/** Answers one route: the envelope's `data`. It may add safe fields to the request's log line. */
export type RouteHandler = (event: APIGatewayProxyEvent, log: LogFields) => Promise<object>;

/**
 * A handler for API Gateway's proxy events that answers the given routes.
 *
 * @param log gets one line a request: `request_id`, `route`, `status`, `outcome` (`ok` or an error code),
 *   `duration_ms`, and what the route adds.
 */
export function createHttpHandler(
  routeHandlers: Partial<Record<RouteKey, RouteHandler>>,
  log: Log,
): (event: APIGatewayProxyEvent) => Promise<APIGatewayProxyResult> {
  return async (event) => {
    const startedAt = performance.now();
    const requestId = event.requestContext.requestId;
    const route = `${event.httpMethod} ${event.resource}`;
    const fields: LogFields = {};
    let response: APIGatewayProxyResult;
    let outcome = 'ok';
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
    log[response.statusCode >= 500 ? 'error' : 'info']('request', {
      request_id: requestId,
      route,
      status: response.statusCode,
      outcome,
      duration_ms: Math.round(performance.now() - startedAt),
      ...fields,
    });
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
