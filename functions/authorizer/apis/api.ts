/** What differs from one kind of API to the next: how its events are read, and which response it understands. */
import type { APIGatewaySimpleAuthorizerWithContextResult, AppSyncAuthorizerResult } from 'aws-lambda';
import type { AuthorizerContext } from '../../contracts/token.ts';
import type { Decision, DenialContext } from '../decide.ts';
import type { IamResponse } from './iam-response.ts';

/** For HTTP APIs with payload 2.0 and simple responses. */
type SimpleResponse = APIGatewaySimpleAuthorizerWithContextResult<AuthorizerContext | DenialContext>;

/** For AppSync APIs. */
type AppSyncResponse = AppSyncAuthorizerResult<Record<string, string>>;

export type AuthorizerResponse = IamResponse | SimpleResponse | AppSyncResponse;

/** One request for a decision. */
export interface AuthorizerRequest {
  /** Kind of API, for the log. */
  readonly api: string;
  /** The API's id of the request. */
  readonly requestId: string | undefined;
  /** The token's text, not verified. @throws TokenRefusal when there is not exactly one */
  readonly token: () => string;
  /**
   * The response, or `undefined` when the API expects a thrown `Unauthorized`.
   *
   * @throws Error when the event does not say what to grant: nothing is granted by guessing
   */
  readonly respond: (decision: Decision) => AuthorizerResponse | undefined;
}

/** Reads the events of one kind of API; `undefined` for an event of another kind. */
export type ReadEvent = (event: object) => AuthorizerRequest | undefined;
