import { onAbort, untilAborted } from "./abort.ts";
import { deferred, unobserved } from "./deferred.ts";

interface Flight<T> {
  readonly outcome: Promise<T>;
  readonly controller: AbortController;
  /** Callers still waiting. A caller without a signal waits until the attempt settles. */
  waiters: number;
}

/**
 * Deduplicates concurrent calls: while an attempt is running, further callers share its promise, and with it the same
 * value or the same error object. Nothing is cached: after the attempt has settled, the next caller starts a new one.
 */
export class SingleFlight<T> {
  readonly #onFailure: (error: unknown) => void;
  #flight: Flight<T> | undefined;

  /**
   * @param onFailure Called when an attempt has ended without a result and no other one has started: with the error of
   * the attempt, or with undefined if the attempt was abandoned.
   */
  constructor(onFailure: (error: unknown) => void = () => {}) {
    this.#onFailure = onFailure;
  }

  /**
   * Joins the running attempt, or starts one. `signal` ends only the wait of this caller. When no caller waits any more,
   * the signal passed to the attempt aborts.
   */
  join(attempt: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#flight) this.#flight.waiters++;
    const flight = this.#flight ?? this.#start(attempt);
    if (!signal) return flight.outcome;
    const stopWaiting = (): void => {
      if (--flight.waiters === 0) this.#abandon(flight, signal.reason);
    };
    // The synchronous part of the attempt may have aborted the signal.
    if (signal.aborted) stopWaiting();
    else {
      const unlisten = onAbort(signal, stopWaiting);
      flight.outcome.then(unlisten, unlisten);
    }
    return untilAborted(flight.outcome, signal);
  }

  /** Abandons the running attempt: its signal aborts with the reason. */
  abort(reason: unknown): void {
    if (this.#flight) this.#abandon(this.#flight, reason);
  }

  /** Starts with one waiter. Further callers can join and abort while `attempt` still runs synchronously. */
  #start(attempt: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const { promise, resolve, reject } = deferred<T>();
    const flight: Flight<T> = { outcome: unobserved(promise), controller: new AbortController(), waiters: 1 };
    // Set before the attempt starts: its synchronous part can call `join` again.
    this.#flight = flight;
    attempt(flight.controller.signal).then(
      (value) => {
        this.#forget(flight);
        resolve(value);
      },
      (error: unknown) => {
        reject(error);
        if (this.#forget(flight)) this.#onFailure(error);
      },
    );
    return flight;
  }

  #abandon(flight: Flight<T>, reason: unknown): void {
    const wasRunning = this.#forget(flight);
    flight.controller.abort(reason);
    // A listener of that signal may have started the next attempt.
    if (wasRunning && !this.#flight) this.#onFailure(undefined);
  }

  /** Returns whether this flight was the running one. */
  #forget(flight: Flight<T>): boolean {
    if (this.#flight !== flight) return false;
    this.#flight = undefined;
    return true;
  }
}
