/** Finds the one token in a request's headers, in each of the forms that mini-programs send. */
import { TokenRefusal } from './refusal.ts';

/** Headers as API Gateway hands them over: names as the client sent them. */
export type Headers = Readonly<Record<string, string | undefined>> | null | undefined;

/** Every value of every header. */
export type MultiValueHeaders = Readonly<Record<string, string[] | undefined>> | null | undefined;

/** `Bearer <token>`, `JWT <token>` or the bare token; the scheme's case does not matter (RFC 9110, 11.1). */
const CREDENTIALS = /^(?:(?:bearer|jwt) +)?([\w.-]+)$/i;

/**
 * The text of the token, not verified.
 *
 * More than one Authorization header is refused: the back end might read another one than was verified here.
 *
 * @throws TokenRefusal with reason `missing_token`, `duplicate_header` or `malformed`
 */
export function tokenFromHeaders(headers: Headers, multiValueHeaders?: MultiValueHeaders): string {
  const single = authorizationValues(headers);
  const multiple = authorizationValues(multiValueHeaders).flat();
  const value = single[0] ?? multiple[0] ?? '';
  if (single.length > 1 || multiple.length > 1 || (multiple[0] ?? value) !== value)
    throw new TokenRefusal('duplicate_header');
  return tokenFromCredentials(value);
}

/**
 * The text of the token in the value of an Authorization header, not verified. Several values that were joined with a
 * comma match no form.
 *
 * @throws TokenRefusal with reason `missing_token` or `malformed`
 */
export function tokenFromCredentials(value: string | null | undefined): string {
  if (!value) throw new TokenRefusal('missing_token');
  const token = CREDENTIALS.exec(value)?.[1];
  if (token === undefined) throw new TokenRefusal('malformed');
  return token;
}

function authorizationValues<V>(headers: Readonly<Record<string, V | undefined>> | null | undefined): V[] {
  return Object.entries(headers ?? {}).flatMap(([name, value]) =>
    name.toLowerCase() === 'authorization' && value !== undefined ? [value] : [],
  );
}
