/** What one device remembers of a login: one key in storage, and memory alone where storage fails. */
import type { Platform } from '../platforms/platform.ts';

/** Who is logged in on this device. */
export interface LoggedIn {
  readonly userId: string;
  /** The login in this run of the app created the user. */
  readonly isNew: boolean;
}

/** A login, as this device knows it. */
export interface Session extends LoggedIn {
  readonly token: string;
  /** Milliseconds on this device's clock at which the token came. */
  readonly receivedAt: number;
  /** Seconds that the token lives from then on. */
  readonly expiresIn: number;
  /** Which login of this run of the app brought it; 0 comes from storage. */
  readonly login: number;
}

/** The session, and the mark of a logout; both outlive the app. */
export interface SessionStore {
  read(): Session | undefined;
  /** The member logged out, or is about to leave: no login until one is asked for. */
  isLoggedOut(): boolean;
  put(session: Session): void;
  /** Marks a logout that may come, and keeps the session until it does. */
  leave(session: Session): void;
  /** Forgets the session and marks the logout. */
  end(): void;
}

interface State {
  readonly session?: Session;
  readonly loggedOut?: boolean;
}

/** Of what is stored; another version is not read. */
const VERSION = 1;

/**
 * Creates the store, which reads the storage when it is first needed.
 *
 * @param onFailure is told when the storage fails: what happens then lasts as long as the app
 */
export function createSessionStore(
  storage: Platform['storage'],
  key: string,
  onFailure: () => void,
): SessionStore {
  let state: State | undefined;

  const load = (): State => {
    if (state) return state;
    state = {};
    try {
      const text = storage.read(key);
      // A missing key is an empty text in `wx`.
      if (text) state = parse(String(text));
    } catch {
      onFailure();
    }
    return state;
  };
  const save = (next: State): void => {
    state = next;
    try {
      storage.write(key, JSON.stringify(Object.assign({ v: VERSION }, next)));
    } catch {
      onFailure();
    }
  };
  return {
    read: () => load().session,
    isLoggedOut: () => !!load().loggedOut,
    put: (session) => save({ session }),
    // Another object, so that a refresh that is on its way is not kept.
    leave: (session) => save({ session: Object.assign({}, session), loggedOut: true }),
    end: () => save({ loggedOut: true }),
  };
}

function parse(text: string): State {
  const { v, session, loggedOut } = JSON.parse(text);
  if (v !== VERSION) return {};
  if (session) Object.assign(session, { isNew: false, login: 0 });
  return { session, loggedOut };
}
