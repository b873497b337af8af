import { Fifo } from "../internal/fifo.ts";

/**
 * The most unanswered requests of one connection. Server 0.169.0 stops answering for good at about 1,000; 512 always
 * worked. Further requests are queued in order.
 */
const LIMIT = 128;
/** Additional places for requests that release something: a terminate must not queue behind the work it ends. */
const URGENT_EXTRA = 32;

/** Which places a request may take. Those of HTTP are some of the ordinary ones. */
export type Lane = "urgent" | "http" | "ordinary";

/** HTTP requests precede ordinary ones: they leave most places to the others, and would otherwise never be sent. */
const ORDER = ["urgent", "http", "ordinary"] as const;

/** Limits how many requests are in flight, and queues the others. */
export class RequestWindow<Request> {
  readonly #send: (request: Request) => boolean;
  readonly #hasHttpRoom: () => boolean;
  readonly #queues = {
    urgent: new Fifo<Request>(),
    http: new Fifo<Request>(),
    ordinary: new Fifo<Request>(),
  };
  #inFlight = 0;

  /**
   * @param send Returns whether the request is in flight now: false if its wait has ended.
   * @param hasHttpRoom Whether another HTTP request may be in flight, as far as the others are concerned.
   */
  constructor(send: (request: Request) => boolean, hasHttpRoom: () => boolean = () => true) {
    this.#send = send;
    this.#hasHttpRoom = hasHttpRoom;
  }

  /** Sends the request if there is room, and queues it otherwise. */
  enter(request: Request, lane: Lane): void {
    const queue = this.#queues[lane];
    if (queue.length > 0 || !this.#hasRoom(lane)) queue.push(request);
    else this.#sendNow(request);
  }

  /** Frees the place of a request that was answered. */
  leave(): void {
    this.#inFlight--;
    for (const next of ORDER) {
      const queue = this.#queues[next];
      while (queue.length > 0 && this.#hasRoom(next)) this.#sendNow(queue.shift() as Request);
    }
  }

  /** Flushes the queues ignoring the limit. Each request then fails, because the connection has ended. */
  flush(): void {
    for (const lane of ORDER) for (const request of this.take(lane)) this.#send(request);
  }

  /** The queue of a lane. */
  queued(lane: Lane): Pick<Fifo<Request>, "length" | typeof Symbol.iterator> {
    return this.#queues[lane];
  }

  /** Empties the queue of a lane, and returns what was in it. */
  take(lane: Lane): Request[] {
    return this.#queues[lane].shiftWhile(() => true);
  }

  #hasRoom(lane: Lane): boolean {
    if (lane === "http" && !this.#hasHttpRoom()) return false;
    return this.#inFlight < (lane === "urgent" ? LIMIT + URGENT_EXTRA : LIMIT);
  }

  #sendNow(request: Request): void {
    if (this.#send(request)) this.#inFlight++;
  }
}
