import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { deferred } from "../internal/deferred.ts";
import type { Connection } from "../transport/transport.ts";
import { acceptedWebSocket } from "../transport/websocket/connection.ts";
import { MAX_UNANSWERED_PINGS, type PageLink, type PeerFault } from "./page-link.ts";

/** Bytes read from a page while the exec-server is dialled. Above this, reading pauses and TCP holds the page up. */
const MAX_EARLY_BYTES = 1024 * 1024;

/** A page whose messages are read whole, by `ws`, for a server behind any transport. */
export class ProxiedPage implements PageLink {
  readonly #webSocket: WebSocket;
  readonly #stream: Duplex & { readonly bytesRead?: number };
  readonly connection: Connection;
  readonly #closed = deferred<{ closeCode: number; fault: PeerFault | undefined }>();
  #unansweredPings = 0;
  /** Bytes that had been read at the last beat. */
  #bytesRead: number | undefined;
  #earlyBytes = 0;
  #fault: PeerFault | undefined;
  onMessage = (): void => {};

  constructor(webSocket: WebSocket, stream: Duplex) {
    this.#webSocket = webSocket;
    this.#stream = stream;
    this.connection = acceptedWebSocket(webSocket, stream);
    webSocket.on("message", this.#limitEarlyFrames);
    webSocket.on("message", () => this.onMessage());
    webSocket.once("error", (error) => {
      this.#fault = isTooLong(error) ? "message-too-long" : "protocol";
    });
    webSocket.once("close", (code) => {
      // `ws` reports the page's answer to its own close frame, which may never come.
      const closeCode = this.#fault === "message-too-long" ? 1009 : code;
      this.#closed.resolve({ closeCode, fault: this.#fault });
    });
    webSocket.on("pong", () => {
      this.#unansweredPings = 0;
    });
  }

  get hasMissedPing(): boolean {
    return this.#unansweredPings > 0;
  }

  get isPaused(): boolean {
    return this.#webSocket.isPaused;
  }

  onEnd(listener: (end: { closeCode: number; fault: PeerFault | undefined }) => void): void {
    void this.#closed.promise.then(listener);
  }

  async closed(): Promise<void> {
    await this.#closed.promise;
  }

  beat(): void {
    const page = this.#webSocket;
    // A write is pending already, and a slow page would receive the ping only after it.
    if (page.bufferedAmount > 0) return;
    // A pong waits behind what the page sends, which `ws` reports message by message.
    const { bytesRead } = this.#stream;
    if (bytesRead !== this.#bytesRead) this.#unansweredPings = 0;
    this.#bytesRead = bytesRead;
    if (this.#unansweredPings === MAX_UNANSWERED_PINGS) {
      this.#fault ??= "silent";
      page.terminate();
    } else page.ping();
    // While paused, no pong is read.
    if (!page.isPaused) this.#unansweredPings++;
  }

  async drained(): Promise<void> {
    await this.connection.flow?.drained();
  }

  close(code: number, reason: string): boolean {
    const isOpen = this.#webSocket.readyState === this.#webSocket.OPEN;
    if (isOpen) this.#webSocket.close(code, reason);
    return isOpen;
  }

  finish(): Promise<void> {
    return this.connection.close();
  }

  /** Reading goes on without a limit: the exec-server's connection takes what comes. */
  liftLimit(): void {
    this.#webSocket.off("message", this.#limitEarlyFrames);
    this.#webSocket.resume();
  }

  discard(): void {
    this.liftLimit();
    this.connection.start({ onFrame() {}, onEnd() {} });
  }

  /** Until the exec-server is connected, reading goes on, which is how the page's close is noticed, up to a limit. */
  readonly #limitEarlyFrames = (data: { readonly byteLength: number }): void => {
    this.#earlyBytes += data.byteLength;
    if (this.#earlyBytes > MAX_EARLY_BYTES) this.#webSocket.pause();
  };
}

function isTooLong(error: Error): boolean {
  return (error as { code?: unknown }).code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH";
}
