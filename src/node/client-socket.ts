import type { Duplex } from "node:stream";
import WebSocket, { type ClientOptions } from "ws";
import { encodeBase64 } from "../internal/base64.ts";
import { maskedFrame } from "./masked-frame.ts";

/**
 * The socket of `ws`, but its messages are written straight to the TCP or TLS socket below. Without compression `ws`
 * never keeps anything back, so they take their place among its own frames.
 */
export class ClientSocket extends WebSocket {
  #below: Duplex | undefined;

  constructor(url: URL, protocols: string[], options: ClientOptions) {
    super(url, protocols, { ...options, perMessageDeflate: false });
    this.once("upgrade", ({ socket }) => {
      this.#below = socket;
    });
  }

  /** The same as sending `head`, the base64 of `bytes` and `tail` as one text. */
  sendPayload(head: string, bytes: Uint8Array, tail: string, onSent: () => void): void {
    if (this.#below) this.#below.write(maskedFrame(head, bytes, tail), onSent);
    // Bun has a `ws` of its own, which shows no socket below.
    else this.send(head + encodeBase64(bytes) + tail, onSent);
  }

  /** What is sent up to `uncork` leaves at once. */
  cork(): void {
    this.#below?.cork();
  }

  uncork(): void {
    this.#below?.uncork();
  }
}
