/**
 * `GET` and `POST /wechat/events/{appid}`: WeChat verifies the URL and pushes what its users changed about their data.
 * https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
 */
import { createHash } from 'node:crypto';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { Clock } from '../contracts/clock.ts';
import type { PushResult } from '../contracts/metrics.ts';
import { DomainError } from '../errors/domain-error.ts';
import type { LogFields } from '../telemetry/logger.ts';
import { decrypt } from './decrypt.ts';
import type { Members } from './members.ts';
import { membersOfJson } from './members-of-json.ts';
import { membersOfXml } from './members-of-xml.ts';
import { type PushEvent, readEvent } from './push-event.ts';
import type { PushMarks } from './push-marks.ts';
import { PushRefusal } from './push-refusal.ts';
import { sameSignature, signatureOf } from './signature.ts';
import { isTimely } from './time-window.ts';

/** What is set up at WeChat for the message push of one mini-program. */
export interface PushCredentials {
  readonly token: string;
  /** Absent where messages come in plaintext only. */
  readonly encodingAesKey?: string;
}

interface EventsRouteOptions {
  /** Undefined for an AppID without message push. @throws DomainError `unavailable` */
  readonly credentialsFor: (appid: string) => Promise<PushCredentials | undefined>;
  /**
   * Changes the user of `openid` who was created before `createdAt`, and records it. Must be safe to repeat: after a
   * crash it is called again.
   */
  readonly act: (event: PushEvent) => Promise<void>;
  readonly marks: PushMarks;
  readonly count: (result: PushResult) => void;
  readonly now: Clock;
}

/** Of the whole request; the longest text message of a user, in compatibility mode, has less than half of it. */
const MAX_BODY_BYTES = 64 * 1024;

/** WeChat hangs up after five seconds, of which the start of an environment may take one. */
const DEADLINE_MS = 3_000;

/**
 * Creates the route. It resolves to the plain text that WeChat waits for, and adds `push` (how it was checked),
 * `push_event` and `push_result` to the log line.
 *
 * It throws the same `unauthorized` for whatever is wrong with a message, `payload_too_large` for one over 64 KiB, and
 * `unavailable` when it could not act in time: WeChat then sends it again.
 */
export function createEventsRoute(
  options: EventsRouteOptions,
): (event: APIGatewayProxyEvent, line: LogFields) => Promise<string> {
  const { credentialsFor, act, marks, count, now } = options;

  async function serve(request: APIGatewayProxyEvent, line: LogFields): Promise<[string, PushResult]> {
    const text = bodyOf(request);
    const appid = request.pathParameters?.appid ?? '';
    const credentials = await credentialsFor(appid);
    if (credentials === undefined) throw new PushRefusal('not_served');
    const { token } = credentials;
    const query = readQuery(request);
    const parts = [token, query.timestamp, query.nonce] as const;
    const signature = signatureOf(...parts);

    /** The plain signature covers no body, and goes along with encrypted messages too: each serves for one thing. */
    const mayServe = (...use: readonly string[]) => {
      const hash = createHash('sha256').update(JSON.stringify(use)).digest('hex');
      return marks.mayServe(`${appid}#${signature}`, hash);
    };
    const check = (given: string | undefined, expected: string) => {
      if (given === undefined) throw new PushRefusal('unsigned');
      if (!sameSignature(given, expected)) throw new PushRefusal('signature');
      if (!isTimely(query.timestamp, now)) throw new PushRefusal('timestamp');
    };

    if (request.httpMethod === 'GET') {
      line.push = 'verification';
      check(query.signature, signature);
      const { echostr } = query;
      if (!/^[\x21-\x7e]+$/.test(echostr)) throw new PushRefusal('unsigned');
      if (!(await mayServe('verification', echostr))) throw new PushRefusal('replayed');
      return [echostr, 'verified'];
    }

    let message = text;
    let members = membersOf(text);
    const encrypted = members.get('Encrypt');
    line.push = encrypted === undefined ? 'plaintext' : 'encrypted';
    if (encrypted === undefined) check(query.signature, signature);
    else {
      check(query.msg_signature, signatureOf(...parts, encrypted));
      message = decrypt(encrypted, credentials.encodingAesKey ?? '', appid);
      members = membersOf(message);
    }
    const event = readEvent(members, appid);
    line.push_event = typeof event === 'string' ? event : event.name;
    // An encrypted message stands by its own signature, and only uses the plain one up.
    if (!(await mayServe(line.push, message)) && encrypted === undefined) throw new PushRefusal('replayed');
    if (typeof event === 'string') return ['success', event];
    return ['success', await marks.once(event.identity, () => act(event))];
  }

  return async (request, line) => {
    try {
      const [response, result] = await withinDeadline(serve(request, line));
      line.push_result = result;
      count(result);
      return response;
    } catch (error) {
      if (error instanceof PushRefusal) count(error.why);
      throw error;
    }
  };
}

function bodyOf({ body, isBase64Encoded }: APIGatewayProxyEvent): string {
  const bytes = Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > MAX_BODY_BYTES) throw new DomainError('payload_too_large');
  return new TextDecoder().decode(bytes);
}

/** By what the message begins with: WeChat's `Content-Type` may say the other format. */
function membersOf(text: string): Members {
  return text.trimStart().startsWith('<') ? membersOfXml(text) : membersOfJson(text);
}

interface Query {
  readonly timestamp: string;
  readonly nonce: string;
  readonly signature?: string;
  readonly msg_signature?: string;
  readonly echostr: string;
}

/** @throws PushRefusal `unsigned` */
function readQuery({ queryStringParameters, multiValueQueryStringParameters }: APIGatewayProxyEvent): Query {
  const read = (name: string): string | undefined => {
    const values = multiValueQueryStringParameters?.[name] ?? [];
    const value = queryStringParameters?.[name];
    if (values.length > 1 || (value?.length ?? 0) > 1024) throw new PushRefusal('unsigned');
    // API Gateway takes a plus for a space, and no parameter of WeChat's has spaces.
    return value?.replaceAll(' ', '+');
  };
  const timestamp = read('timestamp') ?? '';
  const nonce = read('nonce') ?? '';
  const signature = read('signature');
  const msgSignature = read('msg_signature');
  if (!/^\d{10}$/.test(timestamp) || nonce === '') throw new PushRefusal('unsigned');
  return {
    timestamp,
    nonce,
    ...(signature !== undefined && { signature }),
    ...(msgSignature !== undefined && { msg_signature: msgSignature }),
    echostr: read('echostr') ?? '',
  };
}

async function withinDeadline<T>(work: Promise<T>): Promise<T> {
  const deadline = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => deadline.reject(new DomainError('unavailable', { reason: 'the push message took too long' })),
    DEADLINE_MS,
  );
  try {
    return await Promise.race([work, deadline.promise]);
  } finally {
    clearTimeout(timer);
  }
}
