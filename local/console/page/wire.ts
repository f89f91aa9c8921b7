/** The right side: the last exchange as it travelled, the token in it, and the line to send it again. */
import { button, element, fill } from './elements.ts';
import { curlLine, type Exchange, readable, tokenIn } from './exchange.ts';
import { whenReleased } from './released.ts';
import { say } from './texts.ts';
import { tokenView } from './token.ts';

const headerLines = (headers: Readonly<Record<string, string>>): string =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('');

const block = (id: string, text: string): HTMLElement => element('pre', { id, tabindex: '0' }, text);

/**
 * Shows an exchange in its place.
 *
 * @param isLast whether none came after it, while its token was looked at
 */
export async function showExchange(
  target: HTMLElement,
  exchange: Exchange,
  isLast: () => boolean,
): Promise<void> {
  const { method, url, headers, body, status, responseHeaders, responseBody } = exchange;
  const token = tokenIn(exchange);
  const decoded = token === undefined ? undefined : await tokenView(token);
  const copied = element('span', { role: 'status', class: 'good' });
  const copy = async (): Promise<void> => {
    const outcome = await navigator.clipboard.writeText(curlLine(exchange)).then(
      () => 'copied' as const,
      () => 'notCopied' as const,
    );
    copied.textContent = say(outcome);
  };
  const shown = [
    element('h3', {}, say('request')),
    block('request', `${method} ${url}\n${headerLines(headers)}${body ? `\n${readable(body)}` : ''}`),
    element('div', { class: 'row' }, button(say('copy'), copy, { id: 'copy' }), copied),
    block('curl', curlLine(exchange)),
    element(
      'h3',
      {},
      `${say('response')} `,
      element('b', { class: status < 400 ? 'good' : 'bad' }, String(status)),
    ),
    block('response', `${readable(responseBody)}\n\n${headerLines(responseHeaders)}`),
  ];
  whenReleased(() => {
    if (isLast()) fill(target, ...shown, ...(decoded === undefined ? [] : [decoded]));
  });
}
