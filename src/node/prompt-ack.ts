import type { IncomingMessage } from "node:http";
import type { WebSocket } from "ws";
import { GATEWAY_NAME } from "../internal/gateway-name.ts";

/** More bytes than this within `WINDOW_MS` are a flood. */
const FLOOD_BYTES = 64 * 1024;
const WINDOW_MS = 10;
/** Milliseconds without a frame after which a flood has ended. */
const QUIET_MS = 2;

/**
 * Acknowledges small frames of an exec-server at once, by a pong.
 *
 * exec-server leaves Nagle's algorithm on: its system holds a small frame back until ours has acknowledged the frame
 * before, and ours delays an acknowledgement by about 40 ms, in the hope of data to send with it. The echo of a key, the
 * exit of a short command and the body of a small response wait for that. Any frame carries the acknowledgement; a pong is
 * the one that the peer neither answers nor passes on. RFC 6455, section 5.5.3, allows it without a ping.
 *
 * One pong is sent at the end of a turn of the event loop in which small frames came in and nothing went out. A flood is
 * acknowledged by the system itself, so it gets one pong, at its end. A gateway gets none: it turns Nagle's algorithm off.
 *
 * @param upgrade The response to the upgrade request.
 */
export function acknowledgePromptly(socket: WebSocket, upgrade: IncomingMessage): void {
  // Bun's own implementation of `ws` does not have the stream.
  const stream: IncomingMessage["socket"] | null = upgrade.socket;
  if (!stream || upgrade.headers.via?.includes(GATEWAY_NAME)) return;
  let isPending = false;
  let windowStart = 0;
  let received = 0;
  let writtenBefore = 0;

  const acknowledge = (): void => {
    isPending = false;
    const isSilent = stream.bytesWritten === writtenBefore;
    if (isSilent && socket.readyState === socket.OPEN) socket.pong();
  };
  const endFlood = (seen: number): void => {
    if (received === seen) {
      acknowledge();
      return;
    }
    writtenBefore = stream.bytesWritten;
    setTimeout(endFlood, QUIET_MS, received).unref();
  };
  const endTurn = (): void => {
    if (received > FLOOD_BYTES) endFlood(0);
    else acknowledge();
  };
  // Before the listener that reads the frame and may respond to it in the same turn.
  socket.prependListener("message", (message) => {
    if (!isPending) {
      isPending = true;
      writtenBefore = stream.bytesWritten;
      const now = performance.now();
      if (now - windowStart > WINDOW_MS) {
        windowStart = now;
        received = 0;
      }
      setImmediate(endTurn);
    }
    received += (message as Buffer).byteLength;
  });
}
