import type { WebSocket } from "ws";

/** Pings without a pong after which a page is considered gone. */
const MAX_UNANSWERED_PINGS = 4;

/**
 * Pings a page while its socket is open. This detects a machine that lost its network, and a page that leaves while
 * reading from it is paused: the end of a socket that is not read shows only in a write.
 */
export class PageHeartbeat {
  #unanswered = 0;

  /** @param onSilence Called before a page that answers no ping is disconnected. */
  constructor(page: WebSocket, everyMs: number, onSilence: () => void) {
    const beat = (): void => {
      // A write is pending already, and a slow page would receive the ping only after it.
      if (page.bufferedAmount > 0) return;
      if (this.#unanswered === MAX_UNANSWERED_PINGS) {
        onSilence();
        page.terminate();
      } else page.ping();
      // While paused, no pong is read.
      if (!page.isPaused) this.#unanswered++;
    };
    const timer = setInterval(beat, everyMs);
    page.on("pong", () => {
      this.#unanswered = 0;
    });
    page.once("close", () => clearInterval(timer));
  }

  /** Whether the page has not answered the last ping. */
  get isMissed(): boolean {
    return this.#unanswered > 0;
  }
}
