/** Users, keys and WeChat's faults: what an operator and a bad day do to a login. */
import type { FaultRow, RunState } from '../run-state.ts';
import { button, element, fill, table } from './elements.ts';
import { say } from './texts.ts';

/** Does something to the run; what is refused is said, and the page reads the run again. */
export type Act = (name: string, body?: object) => Promise<void>;

const timeOf = (unixSeconds: number): string => new Date(unixSeconds * 1000).toLocaleString();

function panel(name: 'users' | 'keys' | 'faults', ...children: readonly (Node | string)[]): HTMLElement {
  return element(
    'section',
    { 'aria-labelledby': name },
    element('h2', { id: name }, say(name)),
    element('p', { class: 'faint' }, say(`${name}Hint`)),
    ...children,
  );
}

export function usersPanel({ users }: RunState, act: Act): HTMLElement {
  const change = (user_id: string, what: string, word: string, look = ''): HTMLElement =>
    button(say(word), () => act('user', { change: what, user_id }), {
      id: `${what}-${user_id}`,
      class: look,
      'aria-label': `${say(word)} ${user_id}`,
    });
  const rows = users.map(({ user_id, username, appid, status }) => [
    element(
      'span',
      {},
      username || '—',
      element('br'),
      element('code', {}, user_id),
      element('br'),
      element('code', {}, appid),
    ),
    element('span', { class: status === 'active' ? 'good' : 'bad' }, say(status)),
    element(
      'div',
      { class: 'row' },
      status === 'banned' ? change(user_id, 'unban', 'unban') : change(user_id, 'ban', 'ban'),
      change(user_id, 'revoke', 'revoke'),
      change(user_id, 'erase', 'eraseUser', 'danger'),
    ),
  ]);
  return panel(
    'users',
    rows.length === 0
      ? element('p', { class: 'faint' }, say('none'))
      : table(say('users'), [say('user'), say('status'), say('actions')], rows),
  );
}

export function keysPanel({ keys }: RunState, act: Act): HTMLElement {
  const row = (role: string, kid: string, when: number): Node[] => [
    element('span', {}, say(role)),
    element('span', {}, element('code', {}, `${kid.slice(0, 12)}…`), element('br'), timeOf(when)),
    button(say('drop'), () => act('drop', { kid }), {
      id: `drop-${kid}`,
      class: 'danger',
      'aria-label': `${say('drop')} ${say(role)} ${kid.slice(0, 12)}`,
    }),
  ];
  return panel(
    'keys',
    table(
      say('keys'),
      [say('role'), say('key'), say('actions')],
      [
        row('current', keys.current.kid, keys.current.published_at),
        row('next', keys.next.kid, keys.next.published_at),
        ...keys.retired.map(({ kid, remove_after }) => row('retired', kid, remove_after)),
      ],
    ),
    element(
      'p',
      { class: 'row' },
      button(say('rotate'), () => act('rotate'), { id: 'rotate' }),
    ),
  );
}

/** Made once, so what is typed or chosen outlives whatever is drawn anew around it. */
const name = element('select', { id: 'fault-name' });
const times = element('input', { id: 'fault-times', inputmode: 'numeric' });
const whom = element('select', { id: 'fault-whom' });

type Option = readonly [value: string, text: string];

/** Fills a list; what is chosen in it stays so, even if nobody offers it any more. */
function offer(select: HTMLSelectElement, options: readonly Option[]): void {
  const { value: chosen } = select;
  const isOffered = chosen === '' || options.some(([value]) => value === chosen);
  const all: readonly Option[] = isOffered ? options : [...options, [chosen, chosen]];
  fill(select, ...all.map(([value, text]) => element('option', { value, selected: value === chosen }, text)));
}

/** The panel, whose fields stay as they are while it shows the faults and users of another state. */
export function faultsPanel(
  { presets }: RunState,
  act: Act,
  code: () => string,
): { readonly element: HTMLElement; show(state: RunState): void } {
  offer(
    name,
    presets.map((each) => [each, say(each)]),
  );
  let users: RunState['users'] = [];
  const offerUsers = (): void => {
    // Its list may be open.
    if (document.activeElement === whom) return;
    offer(whom, [
      ['', say('everyone')],
      ['code', say('thisCode')],
      ...users.map(({ user_id, username }) => [user_id, username || user_id] satisfies Option),
    ]);
  };
  whom.onblur = offerUsers;
  const faultList = element('div');
  const breakWechat = (): Promise<void> =>
    act('fault', {
      name: name.value,
      ...(times.value !== '' && { times: Number(times.value) }),
      ...(whom.value === 'code' && { code: code() }),
      ...(whom.value.length > 4 && { user_id: whom.value }),
    });
  const made = panel(
    'faults',
    element(
      'div',
      { class: 'fields' },
      element('label', {}, say('fault'), name),
      element('label', {}, say('times'), times),
      element('label', {}, say('whom'), whom),
    ),
    element(
      'p',
      { class: 'row' },
      button(say('breakIt'), breakWechat, { id: 'break', class: 'main' }),
      button(say('heal'), () => act('clear-faults'), { id: 'heal' }),
    ),
    faultList,
  );
  return {
    element: made,
    show({ faults, ...state }) {
      users = state.users;
      offerUsers();
      fill(
        faultList,
        faults.length === 0
          ? element('p', { class: 'good', id: 'wechat' }, say('well'))
          : element(
              'ul',
              { id: 'wechat', class: 'bad' },
              ...faults.map((fault) => element('li', {}, faultLine(fault))),
            ),
      );
    },
  };
}

const faultLine = ({ name, callsLeft, code, openid }: FaultRow): string =>
  [say(name), callsLeft === undefined ? '' : `${callsLeft} ${say('left')}`, code ?? openid ?? '']
    .filter((part) => part !== '')
    .join(' · ');
