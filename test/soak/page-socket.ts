import WebSocket, { type ClientOptions } from "ws";

/** A WebSocket with its standard members only, as in a browser: none of the extensions of `ws`. */
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
