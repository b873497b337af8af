import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { ByteLimit } from "../byte-limit.ts";
import type { ChannelReceiver, ServerChannel } from "../channel.ts";
import { closeFrame, dataFrame, INVALID_FRAME } from "./frames.ts";

/** The server's end of a real WebSocket: reads through `ws`, writes to the socket below. */
export class WebSocketChannel implements ServerChannel {
  readonly #socket: WebSocket;
  readonly #below: Socket;
  readonly #limit = new ByteLimit();
  #isOver = false;

  constructor(socket: WebSocket, below: Socket) {
    this.#socket = socket;
    this.#below = below;
  }

  start(receiver: ChannelReceiver): void {
    this.#socket.on("error", () => {});
    this.#socket.on("message", (data) => receiver.onFrame(String(data)));
    this.#socket.on("close", (closeCode, reason) => {
      this.#isOver = true;
      receiver.onEnd({ closeCode, reason: String(reason) });
    });
  }

  send(frame: string | Uint8Array): void {
    this.sendBytes(dataFrame(frame));
  }

  sendBytes(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#below.write(bytes.subarray(0, this.#limit.take(bytes.length)));
    if (this.#limit.isReached) this.drop();
  }

  close(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#socket.close(code, reason);
  }

  drop(): void {
    this.#isOver = true;
    // The end of the stream comes behind what was written; a destroyed socket could take that along.
    this.#below.end();
  }

  reset(): void {
    this.#isOver = true;
    this.#below.resetAndDestroy();
  }

  dropAfterBytes(bytes: number): void {
    this.#limit.set(bytes);
    if (this.#limit.isReached) this.drop();
  }

  failThenClose(): void {
    this.sendBytes(INVALID_FRAME);
    this.drop();
  }

  closeThenFail(code: number, reason: string): void {
    this.sendBytes(Buffer.concat([closeFrame(code, reason), INVALID_FRAME]));
    this.drop();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}
