/** Reads a request's body: JSON or a form, because mini-programs in the field send both. */
import type { APIGatewayProxyEvent } from 'aws-lambda';
import * as v from 'valibot';
import { jsonText } from '../contracts/schemas.ts';
import { DomainError } from '../errors/domain-error.ts';
import { invalidRequest } from '../errors/invalid-request.ts';
import { headerOf } from './header.ts';

/** Largest body that is looked at, in bytes. */
export const MAX_BODY_BYTES = 16 * 1024;

/** The one charset, as the value of a content type's parameter in lower case. */
const UTF_8 = /^(?:utf-?8|"utf-?8")$/;

/** The members of a body: untrusted, own properties only, without a prototype. */
export type Body = Readonly<Record<string, unknown>>;

/**
 * The body's members. An empty body has none; a missing `Content-Type` is taken for JSON, as `wx.request` does.
 *
 * @throws DomainError `payload_too_large`, `unsupported_media_type`, or `invalid_request` when it cannot be
 *   read as an object. The text names the rule and never repeats the body.
 */
export function readBody(event: Pick<APIGatewayProxyEvent, 'body' | 'isBase64Encoded' | 'headers'>): Body {
  const bytes = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > MAX_BODY_BYTES) throw new DomainError('payload_too_large');
  const text = decode(bytes);
  if (text.trim() === '') return {};
  const [mediaType, ...parameters] = (headerOf(event.headers, 'content-type') ?? 'application/json')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  if (parameters.some(namesAnotherCharset))
    throw new DomainError('unsupported_media_type', {
      detail: { zh: 'charset必须是utf-8', en: 'charset must be utf-8' },
    });
  if (mediaType === 'application/json') return membersOfJson(text);
  if (mediaType === 'application/x-www-form-urlencoded') return membersOfForm(text);
  throw new DomainError('unsupported_media_type');
}

/** Spaces around the sign are no standard (RFC 9110, 5.6.6), and other readers see a charset there all the same. */
function namesAnotherCharset(parameter: string): boolean {
  const [name = '', ...value] = parameter.split('=').map((part) => part.trim());
  return name === 'charset' && !UTF_8.test(value.join('='));
}

/**
 * API Gateway hands most bodies over as text, where bytes that were not UTF-8 have become U+FFFD. So may a character
 * that a person has in their nickname: what a value with it is good for is left to who reads the value.
 */
function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw notUtf8();
  }
}

function membersOfJson(text: string): Body {
  const read = v.safeParse(jsonText, text);
  if (!read.success) throw invalidRequest('请求体不是合法的JSON', 'the body is not JSON');
  const value = read.output;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidRequest('请求体必须是JSON对象', 'the body must be a JSON object');
  }
  return Object.assign(Object.create(null), value);
}

function membersOfForm(text: string): Body {
  const fields = [...new URLSearchParams(text)];
  // More than were sent: percent-encoded bytes that are not UTF-8 became some.
  if (countIn(fields.flat().join(''), /\ufffd/g) > countIn(text, /\ufffd|%EF%BF%BD/gi)) throw notUtf8();
  const members = Object.create(null) as Record<string, string>;
  for (const [name, value] of fields) {
    // `wx.request` encodes values as text, those that are absent too.
    if (value === 'undefined' || value === 'null') continue;
    if (name in members) throw invalidRequest('表单字段重复', 'a form field is given twice');
    members[name] = value;
  }
  return members;
}

/**
 * A member that is true or false, false when absent; a form sends the words.
 *
 * @throws DomainError `invalid_request`
 */
export function readFlag(body: Body, name: string): boolean {
  switch (body[name]) {
    case true:
    case 'true':
      return true;
    case undefined:
    case false:
    case 'false':
      return false;
    default:
      throw invalidRequest(`${name}必须是true或false`, `${name} must be true or false`);
  }
}

function countIn(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

function notUtf8(): DomainError {
  return invalidRequest('请求体不是UTF-8编码', 'the body is not UTF-8');
}
