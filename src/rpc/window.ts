import { Fifo } from "../internal/fifo.ts";

/**
 * How many requests may be unanswered at once. Server 0.169.0 stops answering for ever with about 1,000 in flight on
 * one connection (512 always work), so a burst waits here, in order.
 */
const LIMIT = 128;
/** Places kept for cleanup, so that a terminate is not stuck behind what it is to end. */
const URGENT_EXTRA = 32;

export class RequestWindow<Request> {
  readonly #send: (request: Request) => boolean;
  readonly #waiting = new Fifo<Request>();
  readonly #urgent = new Fifo<Request>();
  #inFlight = 0;

  /** @param send Returns whether the request took its place; false if it was given up in the meantime. */
  constructor(send: (request: Request) => boolean) {
    this.#send = send;
  }

  /** Sends the request now if there is room, else when there is. */
  enter(request: Request, urgent: boolean): void {
    const queue = urgent ? this.#urgent : this.#waiting;
    const limit = urgent ? LIMIT + URGENT_EXTRA : LIMIT;
    if (queue.length > 0 || this.#inFlight >= limit) queue.push(request);
    else if (this.#send(request)) this.#inFlight++;
  }

  /** Frees the place of a request that was answered. */
  leave(): void {
    this.#inFlight--;
    this.#advance();
  }

  /** Lets everyone who waits have its turn, whatever the limit: each finds out by itself that the connection has ended. */
  flush(): void {
    for (const queue of [this.#urgent, this.#waiting]) {
      for (let request = queue.shift(); request; request = queue.shift()) this.#send(request);
    }
  }

  #advance(): void {
    while (this.#urgent.length > 0 && this.#inFlight < LIMIT + URGENT_EXTRA) this.#take(this.#urgent);
    while (this.#waiting.length > 0 && this.#inFlight < LIMIT) this.#take(this.#waiting);
  }

  #take(queue: Fifo<Request>): void {
    if (this.#send(queue.shift() as Request)) this.#inFlight++;
  }
}
