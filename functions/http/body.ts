/** Reads a request's body: JSON or a form, because mini-programs in the field send both. */
import type { APIGatewayProxyEvent } from 'aws-lambda';
import * as v from 'valibot';
import type { RequestRule } from '../contracts/http/request-rules.ts';
import { jsonText } from '../contracts/schemas.ts';
import { brokenRule } from '../errors/broken-rule.ts';
import { headerOf } from './header.ts';

/** Largest body that is looked at, in bytes. */
export const MAX_BODY_BYTES = 16 * 1024;

/** The one charset, as the value of a content type's parameter in lower case. */
const UTF_8 = /^(?:utf-?8|"utf-?8")$/;

/** The members of a body: untrusted, own properties only, without a prototype. */
type Members = Readonly<Record<string, unknown>>;

/**
 * The body, parsed. An empty one has no members; a missing `Content-Type` is taken for JSON, as `wx.request` does.
 *
 * @param schema one whose issues have a {@link RequestRule} as message
 * @throws DomainError the error of the first rule that the body breaks; its text never repeats the body
 */
export function readBody<T>(
  event: Pick<APIGatewayProxyEvent, 'body' | 'isBase64Encoded' | 'headers'>,
  schema: v.GenericSchema<unknown, T>,
): T {
  const { success, output, issues } = v.safeParse(schema, membersOf(event), { abortEarly: true });
  if (success) return output;
  throw brokenRule(issues[0].message as RequestRule);
}

function membersOf(event: Pick<APIGatewayProxyEvent, 'body' | 'isBase64Encoded' | 'headers'>): Members {
  const bytes = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > MAX_BODY_BYTES) throw brokenRule('body_size');
  const text = decode(bytes);
  if (text.trim() === '') return Object.create(null) as Members;
  const [mediaType, ...parameters] = (headerOf(event.headers, 'content-type') ?? 'application/json')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  if (parameters.some(namesAnotherCharset)) throw brokenRule('charset');
  if (mediaType === 'application/json') return membersOfJson(text);
  if (mediaType === 'application/x-www-form-urlencoded') return membersOfForm(text);
  throw brokenRule('media_type');
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
    throw brokenRule('utf8');
  }
}

function membersOfJson(text: string): Members {
  const read = v.safeParse(jsonText, text);
  if (!read.success) throw brokenRule('json');
  const value = read.output;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw brokenRule('json_object');
  return Object.assign(Object.create(null), value);
}

function membersOfForm(text: string): Members {
  const fields = [...new URLSearchParams(text)];
  // More than were sent: percent-encoded bytes that are not UTF-8 became some.
  if (countIn(fields.flat().join(''), /\ufffd/g) > countIn(text, /\ufffd|%EF%BF%BD/gi))
    throw brokenRule('utf8');
  const members = Object.create(null) as Record<string, string>;
  for (const [name, value] of fields) {
    // `wx.request` encodes values as text, those that are absent too.
    if (value === 'undefined' || value === 'null') continue;
    if (name in members) throw brokenRule('field_once');
    members[name] = value;
  }
  return members;
}

function countIn(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
