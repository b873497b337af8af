import { OverflowError } from "../errors/usage.ts";
import { linkedController } from "../internal/abort.ts";
import { Semaphore } from "../internal/semaphore.ts";
import { MAX_OPEN_HANDLES } from "../protocol/filesystem.ts";
import type { RpcPeer } from "../rpc/peer.ts";

/** How long no open file may be used before a wait for a place ends, in milliseconds. Slow readers pause for less. */
const IDLE_MS = 3_000;
const CHECK_INTERVAL_MS = 250;

/**
 * The places for open files of one connection. A further file waits for a place as long as the open ones are in use.
 * Streams that were read a little and then forgotten never free their places, so such a wait ends with an error.
 */
export class HandlePlaces {
  readonly #permits = new Semaphore(MAX_OPEN_HANDLES);
  readonly #waiting = new Set<AbortController>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #requests = 0;
  #lastUse = 0;

  constructor(rpc: RpcPeer) {
    // The request of each waiting file then rejects, because the connection has ended.
    rpc.onEnd(() => {
      for (const _ of this.#waiting) this.#permits.release();
    });
  }

  /** Resolves when there is a place. `release` returns it. */
  async acquire(signal: AbortSignal | undefined): Promise<void> {
    if (!this.#permits.isExhausted) return await this.#permits.acquire();
    const { controller, unlink } = linkedController(signal);
    this.#waiting.add(controller);
    this.#timer ??= setInterval(() => this.#endIdleWaits(), CHECK_INTERVAL_MS);
    try {
      await this.#permits.acquire(controller.signal);
    } finally {
      unlink();
      this.#waiting.delete(controller);
      if (this.#waiting.size === 0) {
        clearInterval(this.#timer);
        this.#timer = undefined;
      }
    }
  }

  release(): void {
    this.#permits.release();
  }

  /** Registers a request that opens, uses or closes a file until it has settled. */
  async inUse<T>(request: Promise<T>): Promise<T> {
    this.#requests++;
    try {
      return await request;
    } finally {
      this.#requests--;
      this.#lastUse = Date.now();
    }
  }

  #endIdleWaits(): void {
    if (this.#requests > 0 || Date.now() - this.#lastUse < IDLE_MS) return;
    const message =
      `All ${MAX_OPEN_HANDLES} files that the server allows are open, and none is being read or written: ` +
      "read streams to their end or cancel() them, close() or abort() writers";
    for (const controller of this.#waiting) {
      controller.abort(new OverflowError(MAX_OPEN_HANDLES, { delivery: "not-sent" }, message));
    }
  }
}
