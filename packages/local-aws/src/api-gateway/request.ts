/** An HTTP request as API Gateway sees it, and the parts of a Lambda event that are made from it. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { JsonObject } from '../json.ts';

/** One name and value of a header or query parameter, in the order they were sent. */
export type Pair = readonly [name: string, value: string];

/** A received request. */
export interface ApiRequest {
  readonly requestId: string;
  readonly extendedRequestId: string;
  readonly method: string;
  /** As sent: not decoded, no query string. */
  readonly path: string;
  readonly protocol: string;
  readonly sourceIp: string;
  /** Every header line, duplicates and spelling kept, plus those the gateway adds. */
  readonly headers: readonly Pair[];
  readonly query: readonly Pair[];
  /** The query string as sent, without the question mark. */
  readonly rawQuery: string;
  readonly body: Buffer;
  /** Unix time in milliseconds. */
  readonly receivedAt: number;
}

/** Headers between the client and the gateway: not passed on. */
const hopByHop = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Reads a request's head; its body is passed in, read elsewhere with a limit. */
export function toApiRequest(message: IncomingMessage, body: Buffer): ApiRequest {
  const target = message.url ?? '/';
  const mark = target.indexOf('?');
  const rawQuery = mark < 0 ? '' : target.slice(mark + 1);
  const sourceIp = message.socket.remoteAddress?.replace(/^::ffff:/, '') ?? '';
  const sent: Pair[] = [];
  // rawHeaders, because Node drops a second Authorization header from `headers`.
  for (let at = 0; at + 1 < message.rawHeaders.length; at += 2) {
    const name = message.rawHeaders[at] ?? '';
    if (!hopByHop.has(name.toLowerCase())) sent.push([name, message.rawHeaders[at + 1] ?? '']);
  }
  const forwardedFor = [...valuesOf(sent, 'x-forwarded-for'), sourceIp].join(', ');
  const added = ['x-forwarded-for', 'x-forwarded-port', 'x-forwarded-proto', 'x-amzn-trace-id'];
  return {
    requestId: randomUUID(),
    extendedRequestId: `${randomBytes(10).toString('base64url')}=`,
    method: message.method ?? 'GET',
    path: mark < 0 ? target : target.slice(0, mark),
    protocol: `HTTP/${message.httpVersion}`,
    sourceIp,
    headers: [
      ...sent.filter(([name]) => !added.includes(name.toLowerCase())),
      ['X-Forwarded-For', forwardedFor],
      ['X-Forwarded-Port', String(message.socket.localPort ?? '')],
      ['X-Forwarded-Proto', 'http'],
      [
        'X-Amzn-Trace-Id',
        `Root=1-${Math.floor(Date.now() / 1000).toString(16)}-${randomBytes(12).toString('hex')}`,
      ],
    ],
    query: [...new URLSearchParams(rawQuery)],
    rawQuery,
    body,
    receivedAt: Date.now(),
  };
}

/** All values of a header, whatever its spelling. */
export function valuesOf(headers: readonly Pair[], name: string): readonly string[] {
  return headers.filter(([sent]) => sent.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
}

/** The media type of a header's first value, lower case, without parameters; undefined when absent. */
export function mediaTypeOf(headers: readonly Pair[], name: string): string | undefined {
  return valuesOf(headers, name)[0]?.split(',')[0]?.split(';')[0]?.trim().toLowerCase() || undefined;
}

/**
 * The two maps an event carries: the last value of each name, and all values. Header names that differ only in
 * case are one name, spelled as it came first.
 */
export function bothMaps(
  pairs: readonly Pair[],
  caseInsensitive: boolean,
): { readonly last: Record<string, string>; readonly all: Record<string, readonly string[]> } {
  const groups = new Map<string, { name: string; values: string[] }>();
  for (const [name, value] of pairs) {
    const key = caseInsensitive ? name.toLowerCase() : name;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { name, values: [value] });
    else group.values.push(value);
  }
  const entries = [...groups.values()];
  return {
    last: Object.fromEntries(entries.map(({ name, values }) => [name, values.at(-1) ?? ''])),
    all: Object.fromEntries(entries.map(({ name, values }) => [name, values])),
  };
}

/** The API and the method a request was routed to, as events and templates name them. */
interface RoutedTo {
  readonly accountId: string;
  readonly apiId: string;
  readonly stage: string;
  readonly resourceId: string;
  readonly resourcePath: string;
}

/** `requestContext` of an event, which is also what `$context` of a mapping template reads. */
export function requestContextOf(request: ApiRequest, target: RoutedTo): JsonObject {
  const host = valuesOf(request.headers, 'host')[0] ?? '';
  return {
    ...target,
    domainName: host,
    domainPrefix: host.split('.')[0] ?? '',
    extendedRequestId: request.extendedRequestId,
    httpMethod: request.method,
    identity: {
      accessKey: null,
      accountId: null,
      caller: null,
      cognitoAuthenticationProvider: null,
      cognitoAuthenticationType: null,
      cognitoIdentityId: null,
      cognitoIdentityPoolId: null,
      principalOrgId: null,
      sourceIp: request.sourceIp,
      user: null,
      userAgent: valuesOf(request.headers, 'user-agent')[0] ?? null,
      userArn: null,
    },
    path: request.path,
    protocol: request.protocol,
    requestId: request.requestId,
    requestTime: commonLogTime(request.receivedAt),
    requestTimeEpoch: request.receivedAt,
  };
}

/** `23/Nov/2026:02:25:07 +0000`, as in the Common Log Format. */
export function commonLogTime(unixMs: number): string {
  const [, weekday = '', day = '', month = '', year = '', time = ''] =
    /^(\w+), (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(unixMs).toUTCString()) ?? [];
  return weekday === '' ? '' : `${day}/${month}/${year}:${time} +0000`;
}
