/** One piece of work at a time: who comes while it runs waits for its result, and nobody waits for ever. */

/** Work that is never done twice at once. */
export interface SingleFlight<T> {
  isBusy(): boolean;
  /** Joins the work that runs, or starts it. */
  join(start: () => Promise<T>): Promise<T>;
  /** Rejects all who wait and forgets the work; its own end reaches nobody. */
  abandon(reason: Error): void;
}

/** Creates the gate for one kind of work. */
export function createSingleFlight<T>(): SingleFlight<T> {
  let current: Promise<T> | undefined;
  let rejectCurrent: (reason: Error) => void;
  return {
    isBusy: () => !!current,
    join(start) {
      if (current) return current;
      const landing = new Promise<T>((resolve, reject) => {
        rejectCurrent = reject;
        start().then(resolve, reject);
      });
      const clear = () => {
        if (current === landing) current = undefined;
      };
      // Before any waiter's turn, so that none of them joins what has ended.
      landing.then(clear, clear);
      current = landing;
      return landing;
    },
    abandon(reason) {
      if (current) rejectCurrent(reason);
      current = undefined;
    },
  };
}
