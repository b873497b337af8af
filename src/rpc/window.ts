import { Fifo } from "../internal/fifo.ts";

/** A request waiting for its turn. Returns whether it took its place; false if it was given up in the meantime. */
export type Turn = () => boolean;

/**
 * How many requests may be unanswered at once. Server 0.169.0 stops answering for ever with about 1,000 in flight on
 * one connection (512 always work), so a burst waits here, in order.
 */
const LIMIT = 128;
/** Places kept for cleanup, so that a terminate is not stuck behind what it is to end. */
const URGENT_EXTRA = 32;

export class RequestWindow {
  readonly #waiting = new Fifo<Turn>();
  readonly #urgent = new Fifo<Turn>();
  #inFlight = 0;

  /** Runs the turn now if there is room, else when there is. */
  enter(turn: Turn, urgent: boolean): void {
    const queue = urgent ? this.#urgent : this.#waiting;
    const limit = urgent ? LIMIT + URGENT_EXTRA : LIMIT;
    if (queue.length > 0 || this.#inFlight >= limit) queue.push(turn);
    else if (turn()) this.#inFlight++;
  }

  /** Frees the place of a request that was answered. */
  leave(): void {
    this.#inFlight--;
    this.#advance();
  }

  /** Gives everyone who waits a turn, whatever the limit: each finds out by itself that the connection has ended. */
  flush(): void {
    for (const queue of [this.#urgent, this.#waiting]) {
      for (let turn = queue.shift(); turn; turn = queue.shift()) turn();
    }
  }

  #advance(): void {
    while (this.#urgent.length > 0 && this.#inFlight < LIMIT + URGENT_EXTRA) this.#take(this.#urgent);
    while (this.#waiting.length > 0 && this.#inFlight < LIMIT) this.#take(this.#waiting);
  }

  #take(queue: Fifo<Turn>): void {
    if (queue.shift()?.()) this.#inFlight++;
  }
}
