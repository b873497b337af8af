import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { setImmediate, setTimeout } from "node:timers";
import type { WebSocket } from "ws";
import { GATEWAY_NAME } from "../internal/gateway-name.ts";

/** More bytes than this within `WINDOW_MS` are a flood. */
const FLOOD_BYTES = 64 * 1024;
const WINDOW_MS = 10;
/** Milliseconds without a frame after which a flood has ended; for a sparing acknowledgement. */
const QUIET_MS = 2;
const SPARING_QUIET_MS = 10;
/** Frames in a row that were each followed by one of ours, after which a sparing acknowledgement stops. */
const MAX_UNNEEDED = 4;

interface PromptAckOptions {
  /**
   * Whether pongs stop for as long as the peer sends one frame for each of ours: then it holds nothing back, and a pong
   * for each call costs a gateway of many pages a third of its work. The first frame that is held back arrives late.
   * @default false
   */
  readonly isSparing?: boolean;
}

/**
 * Acknowledges small frames of an exec-server at once, by a pong.
 *
 * exec-server leaves Nagle's algorithm on: its system holds a small frame back until ours has acknowledged the frame
 * before, and ours delays an acknowledgement by about 40 ms, in the hope of data to send with it. The echo of a key, the
 * exit of a short command and the body of a small response wait for that. Any frame carries the acknowledgement; a pong is
 * the one that the peer neither answers nor passes on. RFC 6455, section 5.5.3, allows it without a ping.
 *
 * One pong is sent at the end of a turn of the event loop in which small frames came in and nothing went out. A flood is
 * acknowledged by the system itself, so it gets one pong, at its end.
 */
export class PromptAck {
  readonly #stream: Pick<Socket, "bytesWritten">;
  readonly #sendPong: () => void;
  readonly #isSparing: boolean;
  #unneeded = 0;
  #isPending = false;
  #windowStart = 0;
  #received = 0;
  #writtenBefore = 0;

  /**
   * @param stream The TCP or TLS stream below the WebSocket.
   * @param sendPong Sends an empty pong if the WebSocket is open.
   */
  constructor(
    stream: Pick<Socket, "bytesWritten">,
    sendPong: () => void,
    { isSparing = false }: PromptAckOptions = {},
  ) {
    this.#stream = stream;
    this.#sendPong = sendPong;
    this.#isSparing = isSparing;
  }

  /** Bytes have come in, which may be responded to in the same turn. */
  received(bytes: number): void {
    if (!this.#isPending) {
      const { bytesWritten } = this.#stream;
      this.#unneeded = bytesWritten === this.#writtenBefore ? 0 : this.#unneeded + 1;
      this.#writtenBefore = bytesWritten;
      if (this.#isSparing && this.#unneeded > MAX_UNNEEDED) return;
      this.#isPending = true;
      const now = performance.now();
      if (now - this.#windowStart > WINDOW_MS) {
        this.#windowStart = now;
        this.#received = 0;
      }
      setImmediate(endTurn, this);
    }
    this.#received += bytes;
  }

  endTurn(): void {
    if (this.#received > FLOOD_BYTES) this.endFlood(0);
    else this.#acknowledge();
  }

  endFlood(seen: number): void {
    if (this.#received === seen) {
      this.#acknowledge();
      return;
    }
    this.#writtenBefore = this.#stream.bytesWritten;
    setTimeout(endFlood, this.#isSparing ? SPARING_QUIET_MS : QUIET_MS, this, this.#received).unref();
  }

  #acknowledge(): void {
    this.#isPending = false;
    if (this.#stream.bytesWritten !== this.#writtenBefore) return;
    this.#sendPong();
    this.#writtenBefore = this.#stream.bytesWritten;
  }
}

const endTurn = (ack: PromptAck): void => ack.endTurn();
const endFlood = (ack: PromptAck, seen: number): void => ack.endFlood(seen);

/** Whether a server has to be acknowledged. A gateway has not: it turns Nagle's algorithm off. */
export function needsPromptAck({ headers }: IncomingMessage): boolean {
  return !headers.via?.includes(GATEWAY_NAME);
}

/**
 * Acknowledges the messages of a WebSocket.
 *
 * @param upgrade The response to the upgrade request.
 */
export function acknowledgePromptly(socket: WebSocket, upgrade: IncomingMessage): void {
  // Bun's own implementation of `ws` does not have the stream.
  const stream: IncomingMessage["socket"] | null = upgrade.socket;
  if (!stream || !needsPromptAck(upgrade)) return;
  const ack = new PromptAck(stream, () => {
    if (socket.readyState === socket.OPEN) socket.pong();
  });
  // Before the listener that reads the frame and may respond to it in the same turn.
  socket.prependListener("message", (message) => ack.received((message as Buffer).byteLength));
}
