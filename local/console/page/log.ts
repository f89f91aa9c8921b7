/** The live log: a line for each request, with what the functions wrote about it behind the line. */
import type { Fields, JournalEntry } from '../run-state.ts';
import { element } from './elements.ts';
import { say } from './texts.ts';

const SHOWN = 100;

const clock = (at: string): string => new Date(at).toLocaleTimeString('en-GB');

const list = ({ function: name, ...fields }: Fields): HTMLElement =>
  element(
    'dl',
    {},
    ...Object.entries({ ...(name !== undefined && { function: name }), ...fields }).flatMap(
      ([key, value]) => [element('dt', {}, key), element('dd', {}, String(value))],
    ),
  );

const row = ({
  request_id,
  at,
  method,
  path,
  status,
  ms,
  error,
  refusal,
  lines,
  metrics,
}: JournalEntry): HTMLElement => {
  const wechat = lines.find((line) => line.wechat_outcome !== undefined || line.wechat_host !== undefined);
  return element(
    'li',
    { 'data-request': request_id },
    element(
      'details',
      {},
      element(
        'summary',
        {},
        element('span', { class: 'faint' }, clock(at)),
        element('span', {}, `${method} ${path}`),
        element(
          'b',
          { class: status < 400 ? 'good' : 'bad' },
          [status, error ?? refusal].filter(Boolean).join(' '),
        ),
        element('span', { class: 'faint' }, `${ms} ms`),
        element(
          'span',
          {},
          wechat === undefined
            ? ''
            : `${say('wechat')} ${wechat.wechat_host ?? '–'} ${wechat.wechat_errcode ?? wechat.wechat_outcome ?? ''}`,
        ),
        element('code', { class: 'faint' }, request_id),
      ),
      list({ gateway: refusal ?? 'ok', status, ...(error !== undefined && { error }) }),
      ...lines.map(list),
      ...metrics.map((counted) => list({ metrics: JSON.stringify(counted) })),
    ),
  );
};

/** The section; it fills itself and calls back for each request. */
export function logSection(entries: JournalEntry[]): {
  readonly element: HTMLElement;
  add(entry: JournalEntry): void;
} {
  const rows = element('ul', { id: 'rows' }, ...entries.map(row).reverse());
  return {
    element: element(
      'section',
      { 'aria-labelledby': 'log' },
      element('h2', { id: 'log' }, say('log')),
      element('div', { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': say('log') }, rows),
    ),
    add(entry) {
      rows.prepend(row(entry));
      if (rows.childElementCount > SHOWN) rows.lastElementChild?.remove();
    },
  };
}
