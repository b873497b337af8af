import type { Duplex } from "node:stream";
import WebSocket, { type ClientOptions } from "ws";
import { maskedFrame } from "./masked-frame.ts";

/** The socket of `ws`, which also sends bytes as base64 without a detour over strings. */
export class ClientSocket extends WebSocket {
  #below: Duplex | undefined;

  constructor(url: URL, protocols: string[], options: ClientOptions) {
    super(url, protocols, options);
    this.once("upgrade", ({ socket }) => {
      this.#below = socket;
    });
  }

  /** The same as sending `head`, the base64 of `bytes` and `tail` as one text. Only while the socket is open. */
  sendPayload(head: string, bytes: Uint8Array, tail: string, onSent: () => void): void {
    // Without compression `ws` keeps nothing back, so what is written here keeps its place among its own frames.
    this.#below?.write(maskedFrame(head, bytes, tail), onSent);
  }
}
