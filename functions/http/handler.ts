/** Turns routes into a Lambda handler: dispatch, the one place errors become responses, one log line a request. */
import { performance } from 'node:perf_hooks';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { ErrorCode } from '../contracts/errors.ts';
import type { ResponseOf, RouteKey } from '../contracts/routes.ts';
import { asDomainError, DomainError } from '../errors/domain-error.ts';
import { describeError } from '../telemetry/describe-error.ts';
import type { Log, LogFields } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { failure, plainText, success } from './envelope.ts';
import { headerOf } from './header.ts';
import { preferredLanguage } from './language.ts';

/**
 * Serves one route: resolves to the envelope's `data`, or to a plain text without envelope, and may add safe fields to
 * the request's log line.
 */
export type RouteHandler<K extends RouteKey> = (
  event: APIGatewayProxyEvent,
  line: LogFields,
) => Promise<ResponseOf<K>>;

/** The handlers of some routes, each with what its route responds. */
export type RouteHandlers = { readonly [K in RouteKey]?: RouteHandler<K> };

/**
 * A handler for API Gateway's proxy events that serves the given routes, and HEAD as GET without a body.
 *
 * @param log gets one line a request: `request_id`, `route`, `status`, `outcome` (`ok` or an error code),
 *   `duration_ms`, and what the route or its error adds
 * @param metrics count the failures that are our own; WeChat's are counted with the exchanges
 */
export function createHttpHandler(
  routeHandlers: RouteHandlers,
  log: Log,
  metrics: Pick<Metrics, 'count'>,
): (event: APIGatewayProxyEvent) => Promise<APIGatewayProxyResult> {
  return async (event) => {
    const startedAt = performance.now();
    const requestId = event.requestContext.requestId;
    const route = `${event.httpMethod} ${event.resource}`;
    const line: LogFields = {};
    let response: APIGatewayProxyResult;
    let outcome: 'ok' | ErrorCode = 'ok';
    try {
      const routeHandler = routeHandlers[route.replace(/^HEAD /, 'GET ') as RouteKey];
      if (routeHandler === undefined) throw new DomainError('not_found');
      const data = await routeHandler(event, line);
      response = typeof data === 'string' ? plainText(data) : success(data, requestId);
    } catch (thrown) {
      const error = asDomainError(thrown);
      outcome = error.code;
      Object.assign(line, describeError(error));
      response = failure(error, requestId, preferredLanguage(headerOf(event.headers, 'accept-language')));
    }
    if (outcome === 'internal' || outcome === 'unavailable') metrics.count('Failures', outcome);
    const level = response.statusCode >= 500 ? 'error' : 'info';
    log[level]('request', {
      request_id: requestId,
      route,
      status: response.statusCode,
      outcome,
      duration_ms: Math.round(performance.now() - startedAt),
      ...line,
    });
    return event.httpMethod === 'HEAD' ? { ...response, body: '' } : response;
  };
}
