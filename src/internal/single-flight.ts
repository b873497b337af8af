import { untilAborted } from "./deadline.ts";
import { unobserved } from "./deferred.ts";

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
  #flight: Flight<T> | undefined;

  get active(): boolean {
    return this.#flight !== undefined;
  }

  /**
   * Joins the running attempt, or starts one. `signal` ends only this caller's wait; when the last waiter is gone the
   * attempt's own signal aborts.
   */
  join(attempt: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    this.#flight ??= this.#start(attempt);
    const flight = this.#flight;
    flight.waiting++;
    if (!signal) return flight.outcome;
    const leave = (): void => {
      if (--flight.waiting === 0) this.#abandon(flight, signal.reason);
    };
    signal.addEventListener("abort", leave, { once: true });
    const stayed = (): void => signal.removeEventListener("abort", leave);
    flight.outcome.then(stayed, stayed);
    return untilAborted(flight.outcome, signal);
  }

  /** Ends the running attempt for everyone. */
  abort(reason: unknown): void {
    if (this.#flight) this.#abandon(this.#flight, reason);
  }

  #start(attempt: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController();
    const flight: Flight<T> = {
      controller,
      waiting: 0,
      outcome: attempt(controller.signal).finally(() => this.#forget(flight)),
    };
    void unobserved(flight.outcome);
    return flight;
  }

  #abandon(flight: Flight<T>, reason: unknown): void {
    this.#forget(flight);
    flight.controller.abort(reason);
  }

  #forget(flight: Flight<T>): void {
    if (this.#flight === flight) this.#flight = undefined;
  }
}
