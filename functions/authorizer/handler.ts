/** The authorizer's handler: recognises which kind of API calls, decides the same way for all, and logs the decision. */
import type { Clock } from '../contracts/clock.ts';
import { describeError } from '../telemetry/describe-error.ts';
import type { Log } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { AuthorizerRequest, AuthorizerResponse } from './apis/api.ts';
import { createAppSync } from './apis/app-sync.ts';
import { httpV1 } from './apis/http-v1.ts';
import { httpV2Iam, httpV2Simple } from './apis/http-v2.ts';
import { restRequest } from './apis/rest-request.ts';
import { restToken } from './apis/rest-token.ts';
import { webSocket } from './apis/websocket.ts';
import type { Decide, Decision, Denial, Refusal } from './decide.ts';
import { appidsAllowedByStage } from './stage-variable.ts';

export interface AuthorizerOptions {
  readonly decide: Decide;
  readonly log: Log;
  /** Default: nothing is counted, because the account that it runs in would pay for that. */
  readonly metrics?: Metrics;
  /** How HTTP APIs with payload 2.0 were set up: their events do not tell. */
  readonly httpResponse: 'simple' | 'iam';
  /** Longest that AppSync keeps an `allow`, in seconds; the other kinds of API are told when they are set up. */
  readonly cacheTtlSeconds: number;
  readonly now: Clock;
}

/**
 * Creates the handler. It responds in the form of the API that calls: to a valid token, to a revoked one, and to a
 * banned user.
 *
 * Without a valid token REST and WebSocket APIs get no response but an Error whose message is exactly `Unauthorized`,
 * which they turn into 401; the other kinds of API get a response. Any other error means that there is no decision, and
 * becomes a 5xx.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
 */
export function createAuthorizer(options: AuthorizerOptions): (event: object) => Promise<AuthorizerResponse> {
  const { decide, log, metrics, httpResponse } = options;
  const httpV2 = httpResponse === 'simple' ? httpV2Simple : httpV2Iam;
  const apis = [restRequest, restToken, httpV2, httpV1, webSocket, createAppSync(options)];

  function read(event: object): AuthorizerRequest {
    for (const api of apis) {
      const request = api(event);
      if (request !== undefined) return request;
    }
    throw new Error('The event is of no known kind of API');
  }

  return async (event) => {
    let line: { api?: string; request_id?: string | undefined } = {};
    let response: AuthorizerResponse | undefined;
    try {
      const request = read(event);
      line = { api: request.api, request_id: request.requestId };
      const decision = await decide(request.token, appidsAllowedByStage(event));
      response = request.respond(decision);
      const details = detailsOf(decision);
      metrics?.count('AuthorizerDecisions', decision.kind);
      if (details.reason !== undefined) metrics?.count('TokenRefusals', details.reason);
      log.info('authorized', { ...line, decision: decision.kind, ...details });
    } catch (error) {
      metrics?.count('AuthorizerDecisions', 'none');
      log.error('authorized', { ...line, decision: 'none', ...describeError(error) });
      // Lambda logs what is thrown with its causes; those are not ours to vouch for.
      throw new Error('No decision on the token');
    }
    if (response === undefined) throw new Error('Unauthorized');
    return response;
  };
}

function detailsOf(decision: Decision): { user_id?: string; reason?: Refusal['reason'] | Denial['error'] } {
  switch (decision.kind) {
    case 'allow':
      return { user_id: decision.token.userId };
    case 'deny':
      return { user_id: decision.token.userId, reason: decision.error };
    case 'refuse':
      return { reason: decision.reason };
  }
}
