/** The Lambda proxy integration: the event a function gets and the response API Gateway accepts. https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html */

import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import type { InvokeFunction } from '../lambda/invoke.ts';
import type { Integration, MethodCall } from './call.ts';
import { Refusal } from './refusal.ts';
import { bothMaps, mediaTypeOf } from './request.ts';
import { type ApiResponse, type HeaderLine, withDefaults } from './response.ts';
import { withinMs } from './within.ts';

/** A proxy integration as the template sets it up. */
interface LambdaProxy {
  readonly functionArn: string;
  readonly resourcePath: string;
  /** ARN of the API's stage. */
  readonly stageArn: string;
  readonly timeoutMs: number;
  /** Media types that travel base64-encoded. */
  readonly binaryMediaTypes: readonly string[];
  readonly invoke: InvokeFunction;
}

export function createLambdaProxy(proxy: LambdaProxy): Integration {
  const isBinary = (mediaType: string | undefined): boolean =>
    proxy.binaryMediaTypes.some((type) => type === '*/*' || type.toLowerCase() === mediaType);
  return async (call) => {
    const { headers, method } = call.request;
    const event = proxyEvent(call, proxy.resourcePath, isBinary(mediaTypeOf(headers, 'content-type')));
    const sourceArn = `${proxy.stageArn}/${method}${proxy.resourcePath}`;
    const invocation = await withinMs(proxy.invoke(proxy.functionArn, event, sourceArn), proxy.timeoutMs);
    if (invocation === undefined) throw new Refusal('INTEGRATION_TIMEOUT', 'Endpoint request timed out');
    const response = invocation.ok
      ? readProxyResponse(
          JSON.parse(invocation.payload) as Json,
          'application/json',
          isBinary(mediaTypeOf(headers, 'accept')),
        )
      : undefined;
    // A function that throws and one that returns nonsense look the same to the client.
    if (response === undefined) throw new Refusal('DEFAULT_5XX', 'Internal server error', { status: 502 });
    return response;
  };
}

/** The event of a REST API, which is also payload format 1.0 of an HTTP API. */
export function proxyEvent(
  { request, context, pathParameters, stageVariables }: MethodCall,
  resourcePath: string,
  binary: boolean,
): JsonObject {
  const headers = bothMaps(request.headers, true);
  const query = bothMaps(request.query, false);
  const isBase64Encoded = request.body.length > 0 && binary;
  return {
    resource: resourcePath,
    path: request.path,
    httpMethod: request.method,
    headers: headers.last,
    multiValueHeaders: headers.all,
    queryStringParameters: orNull(query.last),
    multiValueQueryStringParameters: orNull(query.all),
    pathParameters: orNull(pathParameters),
    stageVariables: orNull(stageVariables),
    requestContext: context,
    body: request.body.length === 0 ? null : request.body.toString(isBase64Encoded ? 'base64' : 'utf8'),
    isBase64Encoded,
  };
}

function orNull(map: JsonObject): Json {
  return Object.keys(map).length === 0 ? null : map;
}

const members = ['statusCode', 'headers', 'multiValueHeaders', 'body', 'isBase64Encoded'];

/** Headers API Gateway keeps for itself: renamed when a function sets them. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html */
const remapped = new Set([
  'connection',
  'content-md5',
  'date',
  'max-forwards',
  'server',
  'user-agent',
  'www-authenticate',
]);
const dropped = new Set(['content-length', 'trailer', 'transfer-encoding', 'upgrade']);

/**
 * The response that a function's response stands for; undefined when it has a member that is unknown or of a wrong type.
 *
 * @param mediaType the Content-Type unless the function sets one
 * @param decode whether a body that is marked as base64-encoded is decoded
 */
export function readProxyResponse(
  returned: Json,
  mediaType: string,
  decode: boolean,
): ApiResponse | undefined {
  if (!isJsonObject(returned) || Object.keys(returned).some((member) => !members.includes(member)))
    return undefined;
  const {
    statusCode = 200,
    headers = {},
    multiValueHeaders = {},
    body = '',
    isBase64Encoded = false,
  } = returned;
  const status =
    typeof statusCode === 'string' || typeof statusCode === 'number' ? Number(statusCode) : Number.NaN;
  if (!Number.isInteger(status) || status < 200 || status > 599) return undefined;
  if (typeof isBase64Encoded !== 'boolean') return undefined;
  if (typeof body !== 'string' && body !== null) return undefined;
  const lines = headerLines(headers, multiValueHeaders);
  if (lines === undefined) return undefined;
  return {
    status,
    headers: withDefaults(lines, ['Content-Type', mediaType]),
    body: isBase64Encoded && decode ? Buffer.from(body ?? '', 'base64') : (body ?? ''),
  };
}

function headerLines(single: Json, multiple: Json): readonly HeaderLine[] | undefined {
  if (!isJsonObject(single) || !isJsonObject(multiple)) return undefined;
  const lists = Object.entries(multiple);
  if (!lists.every(([, values]) => Array.isArray(values))) return undefined;
  const all: (readonly [string, Json])[] = [
    ...Object.entries(single).filter(
      ([name]) => !lists.some(([other]) => other.toLowerCase() === name.toLowerCase()),
    ),
    ...lists.flatMap(([name, values]) => (values as readonly Json[]).map((value) => [name, value] as const)),
  ];
  const valid = all.every(
    ([name, value]) =>
      /^[!#$%&'*+.^_`|~\w-]+$/.test(name) &&
      (typeof value === 'boolean' || (typeof value === 'string' && !/[^\t\x20-\x7e\x80-\xff]/.test(value))),
  );
  if (!valid) return undefined;
  return all
    .filter(([name]) => !dropped.has(name.toLowerCase()))
    .map(([name, value]) => [
      remapped.has(name.toLowerCase()) ? `x-amzn-Remapped-${name}` : name,
      String(value),
    ]);
}
