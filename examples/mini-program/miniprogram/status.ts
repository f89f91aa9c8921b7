/** What a page shows in place of its content: that it loads, or why it cannot, and what the member can do about it. */
import type { LoginError } from 'wechat-login-client';
import { client } from './login';
import { type Texts, texts } from './texts';

/** What the button of a status does. */
export type Action = 'retry' | 'login' | 'login-again' | 'restore';

export interface Status {
  /** Decides the picture; `ready` shows the page. */
  readonly kind: 'loading' | 'ready' | 'empty' | 'offline' | 'error' | 'logged-out' | 'done';
  readonly title: string;
  readonly text: string;
  /** Small print. */
  readonly note?: string;
  readonly action?: Action;
  readonly button?: string;
}

export const READY: Status = { kind: 'ready', title: '', text: '' };

export const loading = (): Status => ({ kind: 'loading', title: texts().loading, text: '' });

/** What to show for each error of the client. */
export async function explain(error: unknown): Promise<Status> {
  const t = texts();
  const { code, message, requestId, retryAfter } = error as LoginError;
  const retry = { action: 'retry', button: t.retry } as const;
  switch (code) {
    case 'network':
      return (await isOffline())
        ? { kind: 'offline', title: t.offline, text: t.offlineText, ...retry }
        : { kind: 'offline', title: t.unreachable, text: t.unreachableText, ...retry };
    case 'timeout':
      return { kind: 'offline', title: t.timeout, text: t.unreachableText, ...retry };
    case 'logged_out':
      return loggedOut(t);
    case 'single_page':
      return { kind: 'error', title: t.singlePage, text: t.singlePageText };
    case 'user_changed':
      return { kind: 'error', title: t.userChanged, text: t.userChangedText, ...retry };
    case 'user_banned':
    case 'login_blocked':
      return { kind: 'error', title: t.blocked, text: message, action: 'login', button: t.retry };
    case 'account_closing':
      return { kind: 'error', title: t.closing, text: message, action: 'restore', button: t.restore };
    case 'unauthorized':
    case 'token_revoked':
      return { kind: 'error', title: t.failed, text: message, action: 'login-again', button: t.login };
    case 'rate_limited':
      return {
        kind: 'error',
        title: t.failed,
        text: message,
        ...(retryAfter && { note: t.wait + retryAfter }),
        ...retry,
      };
    default:
      return {
        kind: 'error',
        title: t.failed,
        text: message,
        ...(requestId && { note: t.requestId + requestId }),
        ...retry,
      };
  }
}

export const loggedOut = (t: Texts): Status => ({
  kind: 'logged-out',
  title: t.loggedOut,
  text: t.loggedOutText,
  action: 'login',
  button: t.login,
});

/** Does what a status's button says; the page loads again afterwards. @throws LoginError. */
export async function act(action: Action): Promise<void> {
  if (action === 'login') await client().login();
  if (action === 'login-again') await client().login({ force: true });
  if (action === 'restore') await client().login({ restore: true });
}

interface LoadingPage {
  readonly data: { readonly status: Status };
  setData(data: object): void;
}

/** Loads a page, which stays as it was meanwhile if it had been loaded before. `work` resolves with what to show. */
export async function load(page: LoadingPage, work: () => Promise<object>): Promise<void> {
  if (page.data.status.kind !== 'ready') page.setData({ status: loading() });
  try {
    page.setData(Object.assign({ status: READY }, await work()));
  } catch (error) {
    page.setData({ status: await explain(error) });
  }
}

/** Says in passing why something that the member did has failed; the page stays. */
export async function showFailure(error: unknown): Promise<void> {
  const { title, text } = await explain(error);
  wx.showToast({ title: text || title, icon: 'none', duration: 3000 });
}

function isOffline(): Promise<boolean> {
  return new Promise((resolve) => {
    wx.getNetworkType({
      success: ({ networkType }) => resolve(networkType === 'none'),
      fail: () => resolve(false),
    });
  });
}
