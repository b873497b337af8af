import type { Duplex } from "node:stream";
import WebSocket, { type ClientOptions } from "ws";
import { encodeBase64 } from "../internal/base64.ts";
import type { ExtendedWebSocket } from "../transport/websocket/socket.ts";
import { maskedFrame } from "./masked-frame.ts";
import { acknowledgePromptly } from "./prompt-ack.ts";
import { ReadBuffers } from "./read-buffers.ts";

/**
 * The socket of `ws`, but with messages written directly to the TCP or TLS stream below. Without compression `ws` queues
 * nothing itself, so these messages stay in order with its own frames.
 */
export class ClientSocket extends WebSocket implements ExtendedWebSocket {
  #stream: Duplex | undefined;
  readonly #buffers: ReadBuffers | undefined;

  constructor(url: URL, protocols: string[], options: ClientOptions) {
    const buffers = takesReadBuffers(options) ? new ReadBuffers() : undefined;
    super(url, protocols, { ...options, perMessageDeflate: false, onread: buffers?.onread } as ClientOptions);
    this.#buffers = buffers;
    this.once("upgrade", (response) => {
      this.#stream = response.socket;
      acknowledgePromptly(this, response);
    });
  }

  /** Sends `head`, `bytes` as base64 and `tail` as one text message. */
  sendPayload(head: string, bytes: Uint8Array, tail: string, onSent: () => void): void {
    if (this.#stream) this.#stream.write(maskedFrame(head, bytes, tail), onSent);
    // Bun replaces `ws` with an implementation that does not expose its stream.
    else this.send(head + encodeBase64(bytes) + tail, onSent);
  }

  release(message: Uint8Array): void {
    this.#buffers?.release(message);
  }

  cork(): void {
    this.#stream?.cork();
  }

  uncork(): void {
    this.#stream?.uncork();
  }
}

/** An agent opens its connections itself, and may share them. Deno can't read into given memory. */
function takesReadBuffers({ agent }: ClientOptions): boolean {
  return agent === undefined && !("deno" in process.versions);
}
