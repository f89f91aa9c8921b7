/** Our service's own routes that a session needs: login, refresh, logout. */

import type { Platform } from '../platforms/platform.ts';
import { readAnswer } from './answer.ts';

/** Language of the texts that a member may be shown. */
export type Language = 'zh' | 'en';

/** One POST to the service. */
export interface ServiceCall {
  readonly path: '/member/login' | '/member/refresh' | '/member/logout';
  readonly body: object;
  readonly language: Language | undefined;
  readonly token?: string;
}

/** Milliseconds: short enough that a lost login can be sent again while its code lives. */
const TIMEOUT = 15_000;

/** Sends one call; resolves with its `data`. @throws LoginError. */
export function callService(platform: Platform, baseUrl: string, call: ServiceCall): Promise<unknown> {
  const sent = platform.send({
    method: 'POST',
    url: baseUrl + call.path,
    header: headersOf(call.language, call.token, true),
    body: JSON.stringify(call.body),
    timeout: TIMEOUT,
  });
  return sent.answer.then((answer) => readAnswer(answer, 'service'));
}

/** The headers that the client sets. */
export function headersOf(
  language: Language | undefined,
  token: string | undefined,
  hasBody: boolean,
): Record<string, string> {
  const header: Record<string, string> = {};
  if (hasBody) header['content-type'] = 'application/json';
  if (language) header['accept-language'] = language;
  if (token) header.authorization = `Bearer ${token}`;
  return header;
}
