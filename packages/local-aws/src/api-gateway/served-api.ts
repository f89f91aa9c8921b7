/** An API as the gateway serves it, whatever its kind. */
import type { ApiRequest } from './request.ts';
import type { GatewayResult } from './response.ts';

/** An API that is ready to be served. */
export interface ServedApi {
  /** Does what API Gateway does when the API is made. @throws LocalRunError where it would refuse */
  readonly create?: () => Promise<void>;
  /** @param tooLarge the body was over the limit and is not in the request */
  respond(request: ApiRequest, tooLarge: boolean): Promise<GatewayResult>;
  /** Decides about a WebSocket handshake; only WebSocket APIs do. */
  readonly connect?: (request: ApiRequest) => Promise<GatewayResult | WebSocketConnection>;
}

/** A WebSocket connection that was let in. */
export interface WebSocketConnection {
  /** The sub-protocol of the handshake's response. */
  readonly protocol: string | undefined;
  /** Responds to a message; a body goes back to the client. */
  message(text: string): Promise<MessageResult>;
}

/** The response to a message over an open connection. */
export interface MessageResult extends GatewayResult {
  readonly requestId: string;
}
