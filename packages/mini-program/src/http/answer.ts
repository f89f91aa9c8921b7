/** What a response says: `data` of our service, another team's body as it is, or the LoginError to reject with. */
import type { ApiFailure, ApiSuccess } from '../api-types.ts';
import { LoginError } from '../login-error.ts';
import type { HttpAnswer } from '../platforms/platform.ts';

/** Whose responses are read: only the service's (not the page of a hotel's Wi-Fi), or everybody's. */
export type Answerer = 'service' | 'anyone';

/** The `data` of our envelope, or the body of whoever else may respond. @throws LoginError. */
export function readAnswer(answer: HttpAnswer, answerer: Answerer): unknown {
  const { status, body } = answer;
  const envelope = (body || {}) as Partial<ApiSuccess & ApiFailure>;
  const isOurs = envelope.code === status && typeof envelope.request_id === 'string';
  if (status >= 200 && status < 300) {
    if (isOurs) return envelope.data;
    if (answerer === 'anyone') return body;
  }
  const { error, msg, request_id: requestId } = isOurs ? envelope : ({} as typeof envelope);
  throw new LoginError(error || 'unavailable', msg || `Status ${status}, not from the login service`, {
    status,
    body,
    retryAfter: retryAfterOf(answer),
    requestId,
  });
}

/** Seconds. Platforms hand over names of headers in whatever case they like. */
function retryAfterOf({ header }: HttpAnswer): number | undefined {
  const values = header as Record<string, string>;
  const [name = ''] = Object.keys(values).filter((key) => /^retry-after$/i.test(key));
  return Number(values[name]) || undefined;
}
