import { deferred } from "../internal/deferred.ts";
import { settledWithin } from "../internal/timer.ts";
import { decodeFrame } from "../protocol/codec.ts";
import type { RequestId } from "../protocol/json-rpc.ts";

/** Milliseconds that the answers may take. With the close of the connection, it takes at most two seconds. */
const ANSWERS_MS = 500;

/**
 * The requests that release something on the server, while this side closes the connection. Their callers have been
 * rejected, but the server drops what it has not handled when a connection closes (of writes to a process followed by a
 * close it lost most, measured on 0.171.0). What they were to release would stay for as long as the server keeps the
 * session.
 */
export class LastRequests {
  readonly #ids: Set<RequestId>;
  readonly #last = deferred<void>();
  /** Resolves when all of them were answered, or after a bounded time. */
  readonly answered: Promise<void> = settledWithin(this.#last.promise, ANSWERS_MS);

  /** @param ids Of the requests in flight, at least one. */
  constructor(ids: Iterable<RequestId>) {
    this.#ids = new Set(ids);
  }

  /** Takes a frame that has arrived since. Everything but the answers is ignored. */
  receive(frame: string | Uint8Array): void {
    try {
      const message = decodeFrame(frame);
      if (message.type === "notification" || message.type === "request") return;
      this.#ids.delete(message.id);
    } catch {
      return;
    }
    if (this.#ids.size === 0) this.stop();
  }

  /** No answer can arrive any more. */
  stop(): void {
    this.#last.resolve();
  }
}
