/** What differs from one kind of API to the next: how it asks for a verdict, and how it wants the answer worded. */
import type { APIGatewaySimpleAuthorizerWithContextResult, AppSyncAuthorizerResult } from 'aws-lambda';
import type { AuthorizerContext } from '../../contracts/token.ts';
import type { DenialContext } from '../answer-context.ts';
import type { Decision } from '../decide.ts';
import type { IamAnswer } from './iam-answer.ts';

/** Answer of an HTTP API with payload 2.0 and simple responses. */
export type SimpleAnswer = APIGatewaySimpleAuthorizerWithContextResult<AuthorizerContext | DenialContext>;

/** Answer of an AppSync API. */
export type AppSyncAnswer = AppSyncAuthorizerResult<Record<string, string>>;

/** Any answer that some kind of API understands. */
export type AuthorizerAnswer = IamAnswer | SimpleAnswer | AppSyncAnswer;

/** One request for a verdict. */
export interface Inquiry {
  /** Kind of API, for the log. */
  readonly api: string;
  /** The API's id of the request. */
  readonly requestId: string | undefined;
  /** The token's text, not verified. @throws TokenRefusal when there is not exactly one */
  readonly token: () => string;
  /**
   * Words the verdict; `undefined` when this kind of API learns it from an error with the message `Unauthorized`.
   *
   * @throws Error when the event does not say what to grant: nothing is granted by guessing
   */
  readonly answer: (decision: Decision) => AuthorizerAnswer | undefined;
}

/** Reads the events of one kind of API. */
export interface Adapter<E extends object> {
  /** Whether an event comes from this kind of API. */
  recognizes(event: object): event is E;
  inquiry(event: E): Inquiry;
}
