import { unobserved } from "./deferred.ts";
import { MAX_TIMER_MS } from "./timer.ts";

/** The callbacks registered for each signal. They share one listener: Node warns of a leak above ten. */
const waiting = new WeakMap<AbortSignal, Waiting>();

interface Waiting {
  readonly callbacks: Set<() => void>;
  readonly listener: () => void;
}

/** Calls back once when a signal that has not aborted yet aborts. Returns a function that cancels the registration. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const { callbacks, listener } = waiting.get(signal) ?? listen(signal);
  // A new entry for each registration, so that the same function can be registered twice.
  const entry = (): void => callback();
  callbacks.add(entry);
  return () => {
    callbacks.delete(entry);
    if (callbacks.size > 0) return;
    signal.removeEventListener("abort", listener);
    if (waiting.get(signal)?.callbacks === callbacks) waiting.delete(signal);
  };
}

function listen(signal: AbortSignal): Waiting {
  const callbacks = new Set<() => void>();
  const listener = (): void => {
    // A callback may cancel another one.
    for (const entry of callbacks) if (callbacks.delete(entry)) entry();
  };
  signal.addEventListener("abort", listener, { once: true });
  const all = { callbacks, listener };
  waiting.set(signal, all);
  return all;
}

/**
 * Whether an error is the reason of the caller's abort. A reason can be any value, one of the SDK's own errors
 * included, and then says nothing about the connection or the server.
 */
export function isAbortReason(error: unknown, signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true && error === signal.reason;
}

/** An abort signal with a deadline. Call `clear` when the guarded work has settled. */
export interface Deadline {
  readonly signal: AbortSignal;
  clear(): void;
}

/** A new controller that also aborts with the parent. Call `unlink` when the work has settled. */
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

/** Aborts with the caller's own reason, or with `timeoutError()` after `ms`. */
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
 * Waits for `work` until the signal aborts, then rejects with the signal's reason. A value that arrives later is passed
 * to `onLate`, which releases it.
 */
export function untilAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  onLate?: (value: T) => void,
): Promise<T> {
  if (!signal) return work;
  return new Promise<T>((resolve, reject) => {
    const abandon = (): void => {
      void unobserved(work.then(onLate));
      reject(signal.reason);
    };
    if (signal.aborted) return abandon();
    const done = onAbort(signal, abandon);
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
