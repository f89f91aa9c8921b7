/** API Gateway on 127.0.0.1: serves a template's REST API at the root, as behind a custom domain. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MethodCall } from './api-method.ts';
import { type ApiRequest, requestContextOf, toApiRequest, valuesOf } from './api-request.ts';
import type { ApiResponse } from './api-response.ts';
import { LocalRunError } from './errors.ts';
import { Refusal } from './gateway-responses.ts';
import { ACCOUNT_ID } from './resource-types.ts';
import type { RestApi } from './rest-api.ts';
import { createRouter, type RouteMatch } from './router.ts';
import type { JsonObject } from './template.ts';

/** One answered request: what the local run prints a line from. */
export interface RequestRecord {
  readonly requestId: string;
  readonly method: string;
  /** Path as sent, without the query string. */
  readonly path: string;
  readonly status: number;
  readonly durationMs: number;
  /** The gateway response that was answered, when the gateway refused. */
  readonly refusal?: string;
  /** What went wrong in the local run itself, when that is why it refused. */
  readonly fault?: string;
}

/** A gateway that listens. */
export interface Gateway {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  /** Puts an API behind it; requests that came before wait for this. */
  serve(api: RestApi): void;
  /** Stops listening; open connections are cut. */
  close(): Promise<void>;
}

/** API Gateway's limit for a request body, bytes. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;

/**
 * Starts listening. The address is known before the API is, because an API may have to be told its own address.
 *
 * @param port 0 picks a free one
 * @throws LocalRunError when the port is taken
 */
export async function startGateway(
  port: number,
  onRequest: (record: RequestRecord) => void = () => {},
): Promise<Gateway> {
  const { promise: answerer, resolve: setAnswerer } = Promise.withResolvers<Answerer>();
  const server = createServer((message, response) => {
    void serve(message, response, answerer, onRequest);
  });
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new LocalRunError(
      code === 'EADDRINUSE'
        ? `Port ${port} is already in use: set PORT to another one, or to 0 for any free one.`
        : `The gateway cannot listen on port ${port}: ${message}`,
      { cause: error },
    );
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve: (api) => setAnswerer(createAnswerer(api)),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Answerer = (
  request: ApiRequest,
  tooLarge: boolean,
) => Promise<{ response: ApiResponse; refusal?: string; fault?: string }>;

function createAnswerer(api: RestApi): Answerer {
  const route = createRouter(api.methods);
  return async (request, tooLarge) => {
    const match = route(request.method, request.path);
    let context = requestContextOf(request, {
      accountId: ACCOUNT_ID,
      apiId: api.id,
      stage: api.stage,
      resourceId: match?.method.resourceId ?? '',
      resourcePath: match?.method.resourcePath ?? '',
    });
    try {
      if (tooLarge) throw new Refusal('REQUEST_TOO_LARGE', 'Request Too Long');
      if (match === undefined)
        throw new Refusal('MISSING_AUTHENTICATION_TOKEN', 'Missing Authentication Token');
      const call: MethodCall = {
        request,
        context,
        pathParameters: decodeParameters(match.pathParameters),
        stageVariables: api.stageVariables,
      };
      const authorized = await authorize(api, match, call);
      context = authorized.context;
      if (authorized.denied !== undefined) throw authorized.denied;
      checkParameters(match, request);
      return { response: await match.method.integration({ ...call, context }) };
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal('DEFAULT_5XX', 'Internal server error');
      const fault = error instanceof Refusal ? {} : { fault: String(error) };
      return { response: api.refuse(refusal, request, context), refusal: refusal.type, ...fault };
    }
  };
}

function decodeParameters(parameters: Readonly<Record<string, string>>): Record<string, string> {
  try {
    return Object.fromEntries(
      Object.entries(parameters).map(([name, value]) => [name, decodeURIComponent(value)]),
    );
  } catch {
    throw new Refusal('DEFAULT_4XX', 'Bad Request');
  }
}

/** The context with what the authorizer says about the caller, and the refusal when it does not allow the call. */
async function authorize(
  api: RestApi,
  { method }: RouteMatch,
  call: MethodCall,
): Promise<{ context: JsonObject; denied?: Refusal }> {
  if (method.authorizer === undefined) return { context: call.context };
  const { request } = call;
  const methodArn = `${api.stageArn}/${request.method}${request.path}`;
  const { decision, authorizer } = await method.authorizer(call, methodArn, method.resourcePath);
  const context = { ...call.context, authorizer };
  if (decision === 'allow') return { context };
  const text = `User is not authorized to access this resource${decision === 'explicit-deny' ? ' with an explicit deny' : ''}`;
  return { context, denied: new Refusal('ACCESS_DENIED', text) };
}

function checkParameters({ method }: RouteMatch, request: ApiRequest): void {
  const missing = method.requiredParameters.filter(({ position, name }) =>
    position === 'header'
      ? valuesOf(request.headers, name).length === 0
      : !request.query.some(([sent]) => sent === name),
  );
  if (missing.length > 0)
    throw new Refusal(
      'BAD_REQUEST_PARAMETERS',
      `Missing required request parameters: [${missing.map(({ name }) => name).join(', ')}]`,
    );
}

async function serve(
  message: IncomingMessage,
  response: ServerResponse,
  answerer: Promise<Answerer>,
  onRequest: (record: RequestRecord) => void,
): Promise<void> {
  const started = performance.now();
  const body = await readBody(message).catch(() => undefined);
  // The client went away before it had sent everything: nobody is left to answer.
  if (body === undefined) return;
  const request = toApiRequest(message, body === 'too large' ? Buffer.alloc(0) : body);
  const answer = await answerer;
  const { response: result, refusal, fault: error } = await answer(request, body === 'too large');
  const fault = error ?? write(response, request, result);
  onRequest({
    requestId: request.requestId,
    method: request.method,
    path: request.path,
    status: response.statusCode,
    durationMs: performance.now() - started,
    ...(refusal === undefined ? {} : { refusal }),
    ...(fault === undefined ? {} : { fault }),
  });
}

/** Writes the answer; a header Node refuses to write is our own fault, which is returned as text. */
function write(response: ServerResponse, request: ApiRequest, result: ApiResponse): string | undefined {
  response.setHeader('x-amzn-RequestId', request.requestId);
  response.setHeader('x-amz-apigw-id', request.extendedRequestId);
  try {
    for (const [name, value] of result.headers) response.appendHeader(name, value);
    response.writeHead(result.status).end(result.body);
    return undefined;
  } catch (error) {
    response.writeHead(500).end();
    return String(error);
  }
}

/** Reads the body to its end even when it is too large, so that the client gets to read the answer. */
async function readBody(message: IncomingMessage): Promise<Buffer | 'too large'> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
    else chunks.length = 0;
  }
  return size > MAX_BODY_BYTES ? 'too large' : Buffer.concat(chunks);
}
