/** The longest delay of a timer in every runtime: a signed 32-bit number of milliseconds. Longer ones fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** Waits until `work` has settled either way, at most `ms`. */
export function settledWithin(work: Promise<unknown>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.min(ms, MAX_TIMER_MS));
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    work.then(done, done);
  });
}
