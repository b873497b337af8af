import { unobserved } from "./deferred.ts";
import { onAbort } from "./on-abort.ts";

/** Longer delays fire at once in every runtime (a signed 32-bit count of milliseconds); they are as good as no deadline. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** An abort signal with a deadline; `clear` must be called when the guarded work is over. */
export interface Deadline {
  readonly signal: AbortSignal;
  clear(): void;
}

/** A controller of one's own that also aborts with the parent; `unlink` must be called when the work is over. */
export function linkedController(parent: AbortSignal | undefined): {
  readonly controller: AbortController;
  unlink(): void;
} {
  const controller = new AbortController();
  if (!parent) return { controller, unlink() {} };
  const follow = (): void => controller.abort(parent.reason);
  if (!parent.aborted) return { controller, unlink: onAbort(parent, follow) };
  follow();
  return { controller, unlink() {} };
}

/** Aborts with the caller's own reason, or with `timeoutError()` once `ms` have passed. */
export function deadline(options: {
  ms?: number | undefined;
  signal?: AbortSignal | undefined;
  timeoutError: () => Error;
}): Deadline {
  const { ms } = options;
  const { controller, unlink } = linkedController(options.signal);
  const timer =
    ms === undefined || ms > MAX_TIMER_MS
      ? undefined
      : setTimeout(() => controller.abort(options.timeoutError()), ms);
  return {
    signal: controller.signal,
    clear() {
      clearTimeout(timer);
      unlink();
    },
  };
}

/**
 * Waits for `work`, but no longer than the signal allows: on abort it rejects with the signal's reason.
 * A value that arrives later goes to `onLate`, so that nobody's resource is lost.
 */
export function untilAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  onLate?: (value: T) => void,
): Promise<T> {
  if (!signal) return work;
  return new Promise<T>((resolve, reject) => {
    const giveUp = (): void => {
      void unobserved(work.then(onLate));
      reject(signal.reason);
    };
    if (signal.aborted) return giveUp();
    const done = onAbort(signal, giveUp);
    work.then(
      (value) => {
        done();
        resolve(value);
      },
      (error: unknown) => {
        done();
        reject(error);
      },
    );
  });
}

/** Waits for `work` to settle either way, at most `ms`. */
export function settledWithin(work: Promise<unknown>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    work.then(done, done);
  });
}
