/**
 * A value fetched from elsewhere and kept for a while: secrets and key sets change rarely, must be picked up
 * within minutes, and must never be fetched by every request at once.
 *
 * Lambda freezes an environment between requests, a fetch that is under way included. Hours later such a fetch fails,
 * or brings what was true hours ago. So a value's age counts from the start of its fetch, and a fetch that started
 * before the freeze is not trusted.
 */
import type { Clock } from '../contracts/clock.ts';
import { DomainError } from '../errors/domain-error.ts';
import { elapsedMs } from './elapsed.ts';

/** Times are milliseconds. */
interface RefreshedValueOptions<T> {
  /** Fetches the value anew. */
  readonly load: () => Promise<T>;
  /** From this age on a value is stale, and a read starts a refresh. A function where the value itself says when. */
  readonly refreshAfterMs: number | ((value: T) => number);
  /**
   * What a read gives while the value is stale: `serve` the old value at once, or `wait` for the refresh and give the
   * old value only if that fails. Default: serve.
   */
  readonly whileStale?: 'serve' | 'wait';
  /** From this age on the old value is not given any more, whatever becomes of the refresh. Default: no limit. */
  readonly maxAgeMs?: number | ((value: T) => number);
  /** Least time between two attempts, see {@link cooldownAfter}; recorded before the attempt. */
  readonly cooldownMs: number;
  readonly now: Clock;
}

/** A value that is kept and refreshed, by at most one fetch at a time. */
interface RefreshedValue<T> {
  /** The value. Rejects with what `load` rejected with while there is none, or none young enough. */
  get(): Promise<T>;
  /**
   * Fetches now unless an attempt was made within the cool-down, and gives the newest value there is.
   * For a reader who has evidence that the value changed (an unknown `kid`, a refused AppSecret).
   */
  refresh(): Promise<T>;
}

/**
 * The cool-down of an attempt that ended in this error, or in none: never longer than the `Retry-After` that the error
 * becomes, so that whoever waits as long as they were told meets a new attempt.
 */
function cooldownAfter(error: unknown, cooldownMs: number): number {
  const seconds = error instanceof DomainError ? error.retryAfterSeconds : undefined;
  return seconds === undefined ? cooldownMs : Math.min(cooldownMs, seconds * 1000);
}

interface Held<T> {
  readonly value: T;
  readonly loadedAt: number;
}

const limitFor = <T>({ value }: Held<T>, limit: number | ((value: T) => number)): number =>
  typeof limit === 'number' ? limit : limit(value);

/** Nothing is fetched before the first read. */
export function createRefreshedValue<T>(options: RefreshedValueOptions<T>): RefreshedValue<T> {
  const { load, refreshAfterMs, whileStale, maxAgeMs = Number.POSITIVE_INFINITY, cooldownMs, now } = options;
  let held: Held<T> | undefined;
  let inFlight: Promise<T> | undefined;
  let lastAttempt: { at: number; error?: unknown } | undefined;

  const attempt = (): Promise<T> => {
    if (inFlight !== undefined) return inFlight;
    const mark: { at: number; error?: unknown } = { at: now() };
    lastAttempt = mark;
    inFlight = load()
      .then(
        (value) => {
          held = { value, loadedAt: mark.at };
          return value;
        },
        (error: unknown) => {
          mark.error = error;
          throw error;
        },
      )
      .finally(() => {
        inFlight = undefined;
      });
    return inFlight;
  };

  const coolingDown = (): boolean =>
    lastAttempt !== undefined &&
    elapsedMs(lastAttempt.at, now()) < cooldownAfter(lastAttempt.error, cooldownMs);
  const age = ({ loadedAt }: Held<T>): number => elapsedMs(loadedAt, now());
  const stale = (): boolean => held !== undefined && age(held) >= limitFor(held, refreshAfterMs);
  const usable = (): boolean => held !== undefined && age(held) < limitFor(held, maxAgeMs);

  /** A fetch that started too long ago to tell what is true now. */
  const outdatedAttempt = (): Promise<unknown> | undefined =>
    coolingDown() ? undefined : inFlight?.catch(() => {});

  async function refresh(): Promise<T> {
    const outdated = outdatedAttempt();
    if (outdated !== undefined) await outdated;
    if (inFlight === undefined && coolingDown()) {
      if (held !== undefined && usable()) return held.value;
      if (lastAttempt?.error !== undefined) throw lastAttempt.error;
    }
    return attempt();
  }

  return {
    refresh,
    async get() {
      if (whileStale === 'wait' && stale()) await refresh().catch(() => {});
      const outdated = usable() ? undefined : outdatedAttempt();
      if (outdated !== undefined) await outdated;
      if (held !== undefined && usable()) {
        if (stale() && !coolingDown()) void attempt().catch(() => {});
        return held.value;
      }
      if (inFlight === undefined && coolingDown() && lastAttempt?.error !== undefined)
        throw lastAttempt.error;
      return attempt();
    },
  };
}
