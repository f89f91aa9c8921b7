/**
 * HTTP APIs, payload 2.0, answered with a simple response or with a policy: the event does not tell which of the
 * two the API was set up for.
 */
import type { APIGatewayRequestAuthorizerEventV2 } from 'aws-lambda';
import { tokenFromHeaders } from '../../tokens/bearer.ts';
import { answerContext } from '../answer-context.ts';
import type { Decision } from '../decide.ts';
import type { Adapter, AuthorizerAnswer } from './api.ts';
import { iamAnswer } from './iam-answer.ts';
import { checkIdentitySource, type IdentitySources } from './identity-source.ts';

/** What is read of the event. */
export type HttpV2Event = Pick<APIGatewayRequestAuthorizerEventV2, 'version' | 'routeArn'> &
  IdentitySources & {
    /** Names in lower case; several values of one name are joined with a comma, which no form of a token holds. */
    readonly headers?: Readonly<Record<string, string | undefined>> | null;
    readonly requestContext?: { readonly requestId?: string };
  };

/** Simple responses (`enableSimpleResponses`): a boolean, and no is 403. */
export const httpV2Simple = adapter('http 2.0 simple', (decision) => ({
  isAuthorized: decision.outcome === 'allow',
  context: answerContext(decision),
}));

/** Policies, and no is 403. */
export const httpV2Iam = adapter('http 2.0 iam', (decision, { routeArn }) => iamAnswer(decision, routeArn));

function adapter(
  api: string,
  answer: (decision: Decision, event: HttpV2Event) => AuthorizerAnswer,
): Adapter<HttpV2Event> {
  return {
    recognizes: (event): event is HttpV2Event => 'version' in event && event.version === '2.0',
    inquiry: (event) => ({
      api,
      requestId: event.requestContext?.requestId,
      token: () => checkIdentitySource(tokenFromHeaders(event.headers), event),
      answer: (decision) => answer(decision, event),
    }),
  };
}
