/**
 * A value fetched from elsewhere and kept for a while: secrets and key sets change rarely, must be picked up
 * within minutes, and must never be fetched by every request at once.
 *
 * Lambda freezes an environment between requests, a fetch that is under way included. Hours later such a fetch fails,
 * or brings what was true hours ago; so a value's age counts from the start of its fetch, and a reader who needs a
 * young value does not leave it at the outcome of a fetch that somebody else began long before.
 */

/** How a {@link RefreshedValue} behaves. Times are milliseconds. */
export interface RefreshedValueOptions<T> {
  /** Fetches the value anew. */
  readonly load: () => Promise<T>;
  /** From this age on a read starts a refresh in the background and still answers the old value. */
  readonly refreshAfterMs: number;
  /** From this age on the old value is not answered any more: a read waits for a refresh. Default: no limit. */
  readonly maxAgeMs?: number;
  /** Least time between two attempts, failed ones included; recorded before the attempt. */
  readonly cooldownMs: number;
  /** Current Unix time in milliseconds. */
  readonly now: () => number;
}

/** A cached value with background refresh, single flight and cool-down. */
export interface RefreshedValue<T> {
  /**
   * The value. Rejects with what `load` rejected with while there is none, or none young enough.
   */
  get(): Promise<T>;
  /**
   * Fetches now unless an attempt was made within the cool-down, and answers the newest value there is.
   * For a reader who has evidence that the value changed (an unknown `kid`, a refused AppSecret).
   */
  refresh(): Promise<T>;
}

/** Creates a {@link RefreshedValue}; nothing is fetched before the first read. */
export function createRefreshedValue<T>(options: RefreshedValueOptions<T>): RefreshedValue<T> {
  const { load, refreshAfterMs, maxAgeMs = Number.POSITIVE_INFINITY, cooldownMs, now } = options;
  let held: { value: T; loadedAt: number } | undefined;
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

  const coolingDown = (): boolean => lastAttempt !== undefined && now() - lastAttempt.at < cooldownMs;
  const usable = (): boolean => held !== undefined && now() - held.loadedAt < maxAgeMs;

  /** An attempt that began too long ago to answer today's question. */
  const outdatedAttempt = (): Promise<unknown> | undefined =>
    coolingDown() ? undefined : inFlight?.catch(() => {});

  return {
    async get() {
      const outdated = usable() ? undefined : outdatedAttempt();
      if (outdated !== undefined) await outdated;
      if (held !== undefined && usable()) {
        if (now() - held.loadedAt >= refreshAfterMs && !coolingDown()) void attempt().catch(() => {});
        return held.value;
      }
      if (inFlight === undefined && coolingDown() && lastAttempt?.error !== undefined)
        throw lastAttempt.error;
      return attempt();
    },
    async refresh() {
      const outdated = outdatedAttempt();
      if (outdated !== undefined) await outdated;
      if (inFlight === undefined && coolingDown()) {
        if (held !== undefined && usable()) return held.value;
        if (lastAttempt?.error !== undefined) throw lastAttempt.error;
      }
      return attempt();
    },
  };
}
