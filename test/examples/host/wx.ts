/**
 * `wx` as the example's pages see it, in Node and in browsers: every status is a success, a member's decisions in
 * dialogs are given beforehand, and what is shown is recorded.
 */

/** One request that left the app. */
export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly header: Readonly<Record<string, string>>;
  readonly data: string | undefined;
}

export interface Reply {
  readonly statusCode: number;
  readonly data: unknown;
  readonly header: Readonly<Record<string, string>>;
}

/** A phone with WeChat, and who holds it. */
export interface Device {
  /** A code, or a rejection. */
  login(): Promise<string>;
  /** Rejects when there is no network. */
  answer(request: Sent): Promise<Reply>;
  /** What WeChat itself is in. */
  readonly language?: string;
  isOffline?: boolean;
  /** What the member says in the next dialogs; `false` to all further ones. */
  readonly decisions?: boolean[];
  /** What outlives the app. */
  readonly storage?: Map<string, unknown>;
  /** WeChat older than 2.32.3 asks nobody for consent. */
  readonly asksForPrivacy?: boolean;
}

interface Callbacks<T> {
  success?(result: T): void;
  fail?(failure: { errMsg: string; errno?: number }): void;
}

type PrivacyListener = (resolve: (result: { event: string; buttonId?: string }) => void) => void;

/** WeChat shows at most four Chinese characters on a button of a dialog, and fails when there are more. */
const widthOf = (text: string): number => [...text].reduce((sum, c) => sum + (c > '\u2000' ? 2 : 1), 0);

export function createWx(device: Device) {
  const { storage = new Map<string, unknown>(), decisions = [] } = device;
  const toasts: string[] = [];
  const dialogs: string[] = [];
  const files = new Set<string>();
  const tabs: string[] = [];
  const state = { title: '', tab: '', logins: 0, privacyAnswer: undefined as object | undefined };
  let onPrivacy: PrivacyListener | undefined;

  return {
    storage,
    toasts,
    dialogs,
    files,
    tabs,
    state,
    /** WeChat asks for consent, because the member wants what needs it. */
    needPrivacy: () =>
      onPrivacy?.((answer) => {
        state.privacyAnswer = answer;
      }),

    /** What the app finds as `wx`. */
    api: {
      login({ success, fail }: Callbacks<{ code: string }>) {
        state.logins++;
        device.login().then(
          (code) => success?.({ code }),
          (error: Error) => fail?.({ errMsg: `login:fail ${error.message}` }),
        );
      },
      request(call: Callbacks<Reply> & { url: string; method: string; header: object; data?: string }) {
        const { url, method, header, data, success, fail } = call;
        const lost = device.isOffline ? Promise.reject(new Error('no network')) : undefined;
        (lost ?? device.answer({ url, method, header: { ...header }, data })).then(
          (reply) => success?.(reply),
          (error: Error) => fail?.({ errMsg: `request:fail ${error.message}`, errno: 600001 }),
        );
        return { abort: () => undefined };
      },
      getLaunchOptionsSync: () => ({ scene: 1001 }),
      onAppShow: () => undefined,
      getStorageSync: (key: string) => storage.get(key) ?? '',
      setStorageSync: (key: string, value: unknown) => void storage.set(key, value),
      removeStorageSync: (key: string) => void storage.delete(key),
      getAppBaseInfo: () => ({ language: device.language ?? 'zh_CN' }),
      getNetworkType: ({ success }: Callbacks<{ networkType: string }>) =>
        success?.({ networkType: device.isOffline ? 'none' : 'wifi' }),
      getFileSystemManager: () => ({
        saveFileSync(temporary: string) {
          const path = temporary.replace('http://tmp/', 'http://store/');
          files.add(path);
          return path;
        },
        removeSavedFile: ({ filePath }: { filePath: string }) => void files.delete(filePath),
      }),
      setNavigationBarTitle: ({ title }: { title: string }) => {
        state.title = title;
      },
      setTabBarItem: ({ index, text }: { index: number; text: string }) => {
        tabs[index] = text;
      },
      switchTab: ({ url }: { url: string }) => {
        state.tab = url;
      },
      stopPullDownRefresh: () => undefined,
      showToast: ({ title }: { title: string }) => void toasts.push(title),
      showModal(dialog: { title: string; content: string; confirmText: string; cancelText: string }) {
        const { title, content, confirmText, cancelText } = dialog;
        if (widthOf(confirmText) > 8 || widthOf(cancelText) > 8)
          return Promise.reject(
            new Error('showModal:fail confirmText length should not larger than 4 Chinese characters'),
          );
        dialogs.push(`${title}: ${content}`);
        return Promise.resolve({ confirm: decisions.shift() ?? false });
      },
      openPrivacyContract: () => undefined,
      ...(device.asksForPrivacy !== false && {
        onNeedPrivacyAuthorization(listener: PrivacyListener) {
          onPrivacy = listener;
        },
      }),
    },
  };
}

export type FakeWx = ReturnType<typeof createWx>;
