/** The authorizer's handler: recognises which kind of API asks, decides the same way for all, and logs the verdict. */
import { describeError } from '../telemetry/describe-error.ts';
import type { Log } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Adapter, AuthorizerAnswer, Inquiry } from './apis/api.ts';
import { createAppSync } from './apis/app-sync.ts';
import { httpV1 } from './apis/http-v1.ts';
import { httpV2Iam, httpV2Simple } from './apis/http-v2.ts';
import { restRequest } from './apis/rest-request.ts';
import { restToken } from './apis/rest-token.ts';
import { webSocket } from './apis/websocket.ts';
import { type Decide, type Decision, type Denial, type Refusal, refusalFrom } from './decide.ts';

/** What {@link createAuthorizer} needs. */
export interface AuthorizerOptions {
  readonly decide: Decide;
  readonly log: Log;
  /** Default: nothing is counted, because the account that it runs in would pay for that. */
  readonly metrics?: Metrics;
  /** How HTTP APIs with payload 2.0 were set up: their events do not tell. */
  readonly httpResponse: 'simple' | 'iam';
  /** Longest that AppSync keeps a yes, in seconds; the other kinds of API are told when they are set up. */
  readonly cacheTtlSeconds: number;
  /** Current Unix time in milliseconds. */
  readonly now: () => number;
}

/**
 * Creates the handler.
 *
 * It answers yes, or no to a token that was revoked and to a banned user, in the form of the API that asks. A request
 * without a valid token is answered no as well, except that REST and WebSocket APIs are told by an Error whose message
 * is exactly `Unauthorized`, which they turn into 401. Any other error means that there is no verdict, and becomes a
 * 5xx.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
 */
export function createAuthorizer(options: AuthorizerOptions): (event: object) => Promise<AuthorizerAnswer> {
  const { decide, log, metrics, httpResponse } = options;
  const appSync = createAppSync(options);
  const httpV2 = httpResponse === 'simple' ? httpV2Simple : httpV2Iam;

  function inquiryOf(event: object): Inquiry {
    const inquiry =
      read(restRequest, event) ??
      read(restToken, event) ??
      read(httpV2, event) ??
      read(httpV1, event) ??
      read(webSocket, event) ??
      read(appSync, event);
    if (inquiry === undefined) throw new Error('The event is of no known kind of API');
    return inquiry;
  }

  async function decideOn(inquiry: Inquiry): Promise<Decision> {
    let token: string;
    try {
      token = inquiry.token();
    } catch (error) {
      return refusalFrom(error);
    }
    return decide(token);
  }

  return async (event) => {
    let request: { api?: string; request_id?: string | undefined } = {};
    let answer: AuthorizerAnswer | undefined;
    try {
      const inquiry = inquiryOf(event);
      request = { api: inquiry.api, request_id: inquiry.requestId };
      const decision = await decideOn(inquiry);
      answer = inquiry.answer(decision);
      const details = detailsOf(decision);
      log.info('authorized', { ...request, decision: decision.outcome, ...details });
      metrics?.count('AuthorizerDecisions', decision.outcome);
      if (details.reason !== undefined) metrics?.count('TokenRefusals', details.reason);
    } catch (error) {
      log.error('authorized', { ...request, decision: 'none', ...describeError(error) });
      metrics?.count('AuthorizerDecisions', 'none');
      // Lambda logs what is thrown with its causes; those are not ours to vouch for.
      throw new Error('No verdict on the token');
    }
    if (answer === undefined) throw new Error('Unauthorized');
    return answer;
  };
}

function read<E extends object>(adapter: Adapter<E>, event: object): Inquiry | undefined {
  return adapter.recognizes(event) ? adapter.inquiry(event) : undefined;
}

function detailsOf(decision: Decision): { user_id?: string; reason?: Refusal['reason'] | Denial['error'] } {
  switch (decision.outcome) {
    case 'allow':
      return { user_id: decision.token.userId };
    case 'deny':
      return { user_id: decision.token.userId, reason: decision.error };
    case 'refuse':
      return { reason: decision.reason };
  }
}
