import { onAbort, untilAborted } from "./abort.ts";
import { deferred, unobserved } from "./deferred.ts";

interface Flight<T> {
  readonly outcome: Promise<T>;
  readonly controller: AbortController;
  /** Callers still waiting. One without a signal never leaves. */
  waiting: number;
}

/**
 * A mutex whose waiters share the outcome: while one attempt holds it, whoever comes joins that attempt and gets the
 * same value or the same error. It keeps nothing: once the attempt has settled, the next caller starts a new one.
 */
export class SingleFlight<T> {
  readonly #onGivenUp: (error: unknown) => void;
  #flight: Flight<T> | undefined;

  /**
   * @param onGivenUp Called when an attempt is over without a result and no other has begun: with its error, or with
   * undefined if it was abandoned.
   */
  constructor(onGivenUp: (error: unknown) => void = () => {}) {
    this.#onGivenUp = onGivenUp;
  }

  /**
   * Joins the running attempt, or starts one. `signal` ends only this caller's wait; when the last waiter is gone the
   * attempt's own signal aborts.
   */
  join(attempt: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#flight) this.#flight.waiting++;
    const flight = this.#flight ?? this.#start(attempt);
    if (!signal) return flight.outcome;
    const leave = (): void => {
      if (--flight.waiting === 0) this.#abandon(flight, signal.reason);
    };
    // The attempt's first steps may have aborted it.
    if (signal.aborted) leave();
    else {
      const stayed = onAbort(signal, leave);
      flight.outcome.then(stayed, stayed);
    }
    return untilAborted(flight.outcome, signal);
  }

  /** Ends the running attempt for everyone. */
  abort(reason: unknown): void {
    if (this.#flight) this.#abandon(this.#flight, reason);
  }

  /** For one waiter, who counts from the first step on: others may join and leave meanwhile. */
  #start(attempt: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const { promise, resolve, reject } = deferred<T>();
    const flight: Flight<T> = { outcome: unobserved(promise), controller: new AbortController(), waiting: 1 };
    // Before the attempt begins: what it does at once may come back here.
    this.#flight = flight;
    attempt(flight.controller.signal).then(
      (value) => {
        this.#forget(flight);
        resolve(value);
      },
      (error: unknown) => {
        reject(error);
        if (this.#forget(flight)) this.#onGivenUp(error);
      },
    );
    return flight;
  }

  #abandon(flight: Flight<T>, reason: unknown): void {
    const wasRunning = this.#forget(flight);
    flight.controller.abort(reason);
    // Whoever listens to that signal may have begun the next one.
    if (wasRunning && !this.#flight) this.#onGivenUp(undefined);
  }

  /** Returns whether it was the one in the air. */
  #forget(flight: Flight<T>): boolean {
    if (this.#flight !== flight) return false;
    this.#flight = undefined;
    return true;
  }
}
