/** The left side: a mini-program's life with its login, through the client library that mini-programs use. */
import { createLoginClient, type LoginClient, LoginError, web } from 'wechat-login-client';
import type { RunState } from '../run-state.ts';
import { control } from './controls.ts';
import { button, element, fill } from './elements.ts';
import { type Exchange, recording } from './exchange.ts';
import { whenReleased } from './released.ts';
import { language, say } from './texts.ts';

interface Flow {
  readonly element: HTMLElement;
  /** What is in the field. */
  code(): string;
}

/** Kept over a reload of the page, as a mini-program's storage outlives its app. */
const storage = {
  read: (key: string): unknown => JSON.parse(sessionStorage.getItem(key) ?? 'null') ?? undefined,
  write: (key: string, value: string) => sessionStorage.setItem(key, JSON.stringify(value)),
};

/** Made once, so what is typed, chosen or still under way outlives a change of the language. */
const section = element('section', { class: 'flow', 'aria-labelledby': 'flow' });
const who = element('p', { role: 'status', id: 'who' });
const said = element('p', { role: 'status', id: 'said', class: 'bad' });
const code = element('input', {
  id: 'code',
  value: 'demo-xiaoming',
  autocomplete: 'off',
  spellcheck: 'false',
});
const nickname = element('input', { id: 'nickname', autocomplete: 'off' });
const miniProgram = element('select', { id: 'appid' });

let underWay = 0;
let lastToken = '';

/** The section for a run. */
export function flowOf(
  { addresses, routes, presets, foreignRoutes }: RunState,
  show: (exchange: Exchange) => void,
): Flow {
  const { appids } = addresses;
  if (miniProgram.length === 0) fill(miniProgram, ...appids.map((appid) => element('option', {}, appid)));
  const fetch = recording((exchange) => {
    const token = exchange.headers.authorization?.replace('Bearer ', '');
    if (token !== undefined) lastToken = token;
    show(exchange);
  });
  const getCode = async (): Promise<string> => code.value;
  const platform = { ...web({ fetch, getCode }), storage };
  const client = (): LoginClient =>
    createLoginClient({ baseUrl: location.origin, appid: miniProgram.value, platform, language });

  const showWho = (): void => {
    const session = client().session;
    fill(who, session === undefined ? say('nobody') : `${say('loggedIn')} ${session.userId}`);
  };
  let sure = false;
  const setSure = (isSure: boolean): void => {
    sure = isSure;
    erase.textContent = say(sure ? 'eraseAgain' : 'erase');
  };
  const attempt = async (work: (wasSure: boolean) => Promise<unknown>): Promise<void> => {
    const wasSure = sure;
    setSure(false);
    underWay += 1;
    section.setAttribute('aria-busy', 'true');
    fill(said);
    let objection = '';
    try {
      await work(wasSure);
    } catch (error) {
      const { message } = error as Error;
      objection = error instanceof LoginError ? `${say('clientSays')}: ${error.code}: ${message}` : message;
    }
    whenReleased(() => {
      fill(said, objection);
      showWho();
      underWay -= 1;
      section.setAttribute('aria-busy', String(underWay > 0));
    });
  };
  const step = (
    name: Parameters<typeof say>[0],
    work: (wasSure: boolean) => Promise<unknown>,
    look = '',
  ): HTMLButtonElement => button(say(name), () => attempt(work), { id: `do-${name}`, class: look });
  const withToken = (token: string): Promise<unknown> =>
    fetch(`${location.origin}/member/me`, {
      method: 'GET',
      headers: { authorization: `Bearer ${token}` },
      body: null,
    });

  // Nothing else may have been pressed in between.
  const erase = step('erase', async (wasSure) => (wasSure ? client().deleteMe() : setSure(true)), 'danger');
  const foreign = foreignRoutes.map(({ method, url }) =>
    button(`${method} ${url}`, () =>
      attempt(async () => {
        const headers = { authorization: `Bearer ${await client().token()}` };
        const response = await control<{ status: number; headers: Record<string, string>; body: string }>(
          'foreign',
          {
            method,
            url,
            token: await client().token(),
          },
        );
        const { status, headers: responseHeaders, body: responseBody } = response;
        show({ method, url, headers, body: null, status, responseHeaders, responseBody });
      }),
    ),
  );
  const odd = ['expired', 'foreign_audience', 'wrongly_signed', 'revoked'].map((kind) =>
    button(
      say(kind),
      () => attempt(async () => withToken((await control<{ token: string }>('token', { kind })).token)),
      { id: `token-${kind}` },
    ),
  );
  fill(
    section,
    element('h2', { id: 'flow' }, say('flow')),
    element('p', { class: 'faint' }, say('flowHint')),
    element(
      'div',
      { class: 'fields' },
      ...(appids.length > 1 ? [element('label', {}, say('miniProgram'), miniProgram)] : []),
      element('label', {}, say('code'), code),
      element('label', {}, say('nickname'), nickname),
    ),
    element(
      'p',
      { class: 'row' },
      step(
        'logIn',
        () => client().login({ force: true, profile: nickname.value ? { nickname: nickname.value } : {} }),
        'main',
      ),
      ...(presets.length === 0
        ? []
        : [
            step('newCode', async () => {
              code.value = (await control<{ code: string }>('code', { appid: miniProgram.value })).code;
            }),
          ]),
    ),
    who,
    element(
      'p',
      { class: 'row' },
      step('me', () => client().me()),
      step('whoami', () => client().request({ url: '/whoami' })),
      step('refresh', () => client().request({ url: '/member/refresh', method: 'POST', data: {} })),
      step('logOut', () => client().logout()),
      step('logOutAll', () => client().logout({ all: true })),
      ...(routes.includes('DELETE /member/me') ? [erase] : []),
    ),
    said,
    ...(foreign.length === 0
      ? []
      : [element('h3', {}, say('foreign')), element('p', { class: 'row' }, ...foreign)]),
    element('h3', {}, say('odd')),
    element(
      'p',
      { class: 'row' },
      ...(presets.length === 0 ? [] : odd),
      step('last', () => withToken(lastToken)),
    ),
  );
  showWho();
  return { element: section, code: () => code.value };
}
