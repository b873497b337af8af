import type { WebSocket } from "ws";

const MAX_UNANSWERED = 4;

/**
 * Pings a page for as long as its socket is open. Without it nobody would notice a machine that was unplugged, nor a
 * page that leaves while it is held up: whoever does not read a socket does not see its end, but a write does.
 */
export function startHeartbeat(page: WebSocket, everyMs: number): void {
  let unanswered = 0;
  const beat = (): void => {
    // There is a write under way already, and a slow page would see the ping only after all that.
    if (page.bufferedAmount > 0) return;
    if (unanswered === MAX_UNANSWERED) page.terminate();
    else page.ping();
    // While it is held up, its answers are not read.
    if (!page.isPaused) unanswered++;
  };
  const timer = setInterval(beat, everyMs);
  page.on("pong", () => {
    unanswered = 0;
  });
  page.once("close", () => clearInterval(timer));
}
