import { Fifo } from "../internal/fifo.ts";

/**
 * The most unanswered requests of one connection. Server 0.169.0 stops answering for good at about 1,000; 512 always
 * worked. Further requests are queued in order.
 */
const LIMIT = 128;
/** Additional places for requests that release something: a terminate must not queue behind the work it ends. */
const URGENT_EXTRA = 32;

/** Limits how many requests are in flight, and queues the others. */
export class RequestWindow<Request> {
  readonly #send: (request: Request) => boolean;
  readonly #queue = new Fifo<Request>();
  readonly #urgentQueue = new Fifo<Request>();
  #inFlight = 0;

  /** @param send Returns whether the request is in flight now: false if its wait has ended. */
  constructor(send: (request: Request) => boolean) {
    this.#send = send;
  }

  /** Sends the request if there is room, and queues it otherwise. */
  enter(request: Request, urgent: boolean): void {
    const queue = urgent ? this.#urgentQueue : this.#queue;
    const limit = urgent ? LIMIT + URGENT_EXTRA : LIMIT;
    if (queue.length > 0 || this.#inFlight >= limit) queue.push(request);
    else if (this.#send(request)) this.#inFlight++;
  }

  /** Frees the place of a request that was answered. */
  leave(): void {
    this.#inFlight--;
    while (this.#urgentQueue.length > 0 && this.#inFlight < LIMIT + URGENT_EXTRA) {
      this.#sendNext(this.#urgentQueue);
    }
    while (this.#queue.length > 0 && this.#inFlight < LIMIT) this.#sendNext(this.#queue);
  }

  /** Flushes the queues ignoring the limit. Each request then fails, because the connection has ended. */
  flush(): void {
    for (const queue of [this.#urgentQueue, this.#queue]) {
      for (let request = queue.shift(); request; request = queue.shift()) this.#send(request);
    }
  }

  #sendNext(queue: Fifo<Request>): void {
    if (this.#send(queue.shift() as Request)) this.#inFlight++;
  }
}
