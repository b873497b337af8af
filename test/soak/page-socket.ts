import WebSocket, { type ClientOptions } from "ws";

/** A socket as a page has it: what every WebSocket can do, and nothing of what only that of `ws` can. */
export class PageSocket {
  readonly #socket: WebSocket;

  constructor(url: string, protocols?: string[], options?: ClientOptions) {
    this.#socket = new WebSocket(url, protocols, options);
  }

  get readyState(): number {
    return this.#socket.readyState;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  get binaryType(): string {
    return this.#socket.binaryType;
  }

  set binaryType(type: string) {
    this.#socket.binaryType = type as "arraybuffer";
  }

  addEventListener(type: string, listener: (event: unknown) => void): void {
    this.#socket.addEventListener(type as "message", listener);
  }

  send(data: string): void {
    this.#socket.send(data);
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }
}
