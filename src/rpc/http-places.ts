import { OverflowError } from "../errors/usage.ts";

/** The most HTTP requests in flight on a connection for all operations. */
const MAX_IN_FLIGHT = 32;

/**
 * With this many abandoned HTTP requests in flight, no further one is sent. A server with `--concurrent-requests 8` works
 * on 8 requests at a time (measured with 0.169.0 and 0.171.0), so one place is left for other calls.
 */
const MAX_ABANDONED = 7;

/** Milliseconds in which the server may end abandoned requests before those in the queue reject. */
const GRACE_MS = 1_000;

/** What is known of a request in flight. */
interface Request {
  readonly method: string;
  /** False for an abandoned request, whose response nothing waits for. */
  readonly isPending: boolean;
}

const METHOD = "http/request";

export function isHttp({ method }: Pick<Request, "method">): boolean {
  return method === METHOD;
}

/**
 * The places of HTTP requests on a connection for all operations. An origin may never answer, and the protocol can't
 * cancel a request: an abandoned one keeps its place, and must not hold up other calls.
 */
export class HttpPlaces {
  readonly #inFlight: ReadonlyMap<unknown, Request>;
  readonly #refuse: (error: () => OverflowError) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param refuse Rejects the queued HTTP requests. Each gets an error of its own. */
  constructor(inFlight: ReadonlyMap<unknown, Request>, refuse: (error: () => OverflowError) => void) {
    this.#inFlight = inFlight;
    this.#refuse = refuse;
  }

  /** Whether another HTTP request may be sent. */
  get hasRoom(): boolean {
    const { live, abandoned } = this.#count();
    return live + abandoned < MAX_IN_FLIGHT && abandoned < MAX_ABANDONED;
  }

  /**
   * Limits the wait of queued requests behind abandoned ones. Called when a request was queued, abandoned or answered.
   *
   * @param hasQueued Whether HTTP requests are queued. Asked only behind abandoned ones: it walks the queue.
   */
  check(hasQueued: () => boolean): void {
    const { live, abandoned } = this.#count();
    // While others are live, their answers can make room.
    const isStuck = live === 0 && abandoned >= MAX_ABANDONED && hasQueued();
    if (!isStuck) this.stop();
    else this.#timer ??= setTimeout(() => this.#refuseQueued(), GRACE_MS);
  }

  /** The connection has ended. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #refuseQueued(): void {
    this.#timer = undefined;
    const { abandoned } = this.#count();
    const problem = `${abandoned} aborted HTTP requests are still in flight, and hold the places of further ones`;
    const hint =
      'use timeoutMs, which also ends a request on the server, or the option fetchConnection: "own"';
    this.#refuse(() => new OverflowError(abandoned, { delivery: "not-sent" }, `${problem}: ${hint}`));
  }

  #count(): { live: number; abandoned: number } {
    const count = { live: 0, abandoned: 0 };
    for (const request of this.#inFlight.values()) {
      if (isHttp(request)) count[request.isPending ? "live" : "abandoned"]++;
    }
    return count;
  }
}
