import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { ByteLimit } from "../byte-limit.ts";
import type { ChannelReceiver, ServerChannel } from "../channel.ts";
import { closeFrame, dataFrame, INVALID_FRAME } from "./frames.ts";

/** The server's end of a real WebSocket. Reads through `ws`; writes to the TCP socket, so that faults can cut frames. */
export class WebSocketChannel implements ServerChannel {
  readonly #socket: WebSocket;
  readonly #tcpSocket: Socket;
  readonly #limit = new ByteLimit();
  #isEnded = false;

  constructor(socket: WebSocket, tcpSocket: Socket) {
    this.#socket = socket;
    this.#tcpSocket = tcpSocket;
  }

  start(receiver: ChannelReceiver): void {
    this.#socket.on("error", () => {});
    this.#socket.on("message", (data) => receiver.onFrame(String(data)));
    this.#socket.on("close", (closeCode, reason) => {
      this.#isEnded = true;
      receiver.onEnd({ closeCode, reason: String(reason) });
    });
  }

  send(frame: string | Uint8Array): void {
    this.sendBytes(dataFrame(frame));
  }

  sendBytes(bytes: Uint8Array): void {
    if (this.#isEnded) return;
    this.#tcpSocket.write(bytes.subarray(0, this.#limit.take(bytes.length)));
    if (this.#limit.isReached) this.drop();
  }

  close(code: number, reason: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#socket.close(code, reason);
  }

  drop(): void {
    this.#isEnded = true;
    // end() sends what was written first; destroy() could discard it.
    this.#tcpSocket.end();
  }

  reset(): void {
    this.#isEnded = true;
    this.#tcpSocket.resetAndDestroy();
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
