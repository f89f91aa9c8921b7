/** An API as the gateway serves it, whatever its kind. */
import type { ApiRequest } from './request.ts';
import type { Answer } from './response.ts';

/** An API that is ready to be served. */
export interface ServedApi {
  /** Does what API Gateway does when the API is made. @throws LocalRunError where it would refuse */
  readonly create?: () => Promise<void>;
  /** @param tooLarge the body was over the limit and is not in the request */
  answer(request: ApiRequest, tooLarge: boolean): Promise<Answer>;
  /** Decides about a WebSocket handshake; only WebSocket APIs do. */
  readonly connect?: (request: ApiRequest) => Promise<Answer | WebSocketConnection>;
}

/** A WebSocket connection that was let in. */
export interface WebSocketConnection {
  /** The sub-protocol of the handshake's response. */
  readonly protocol: string | undefined;
  /** Answers a message; a response with a body goes back to the client. */
  message(text: string): Promise<MessageAnswer>;
}

/** The answer to a message over an open connection. */
export interface MessageAnswer extends Answer {
  readonly requestId: string;
}
