import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { deadline, untilAborted } from "../internal/abort.ts";
import type { Admission, Refusal } from "./admission.ts";
import { GATEWAY_PROTOCOL, type ResolvedGatewayOptions } from "./options.ts";

/** How long a page may take to answer the gateway's goodbye, and to read what was sent before it. */
export const GOODBYE_MS = 10_000;

/** A page whose handshake is complete, and what its WebSocket runs on. */
export interface OpenPage {
  readonly socket: WebSocket;
  readonly below: Duplex;
}

/** What happens between the request of a page and its open socket, or its refusal. */
export class Handshakes {
  readonly #options: ResolvedGatewayOptions;
  readonly #webSockets: WebSocketServer;
  readonly #closing = new AbortController();
  readonly #isFull: () => boolean;

  constructor(options: ResolvedGatewayOptions, isFull: () => boolean) {
    this.#options = options;
    this.#isFull = isFull;
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: options.maxMessageBytes,
      // The token, which travels as a subprotocol too, is never sent back.
      handleProtocols: () => GATEWAY_PROTOCOL,
      closeTimeout: GOODBYE_MS,
    } as ConstructorParameters<typeof WebSocketServer>[0]);
  }

  /** Refuses everybody from now on, those included whose turn it is. */
  end(): void {
    this.#closing.abort();
  }

  async take(
    admission: Admission,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    onPage: (page: OpenPage) => void,
  ): Promise<void> {
    // A page may go at any moment, and nobody else looks after its socket yet.
    socket.on("error", () => {});
    const verdict = await this.#decide(admission, request);
    // Asked in the turn in which the page gets in: other pages, or the end, may have come first.
    const refusal = verdict ?? (this.#closing.signal.aborted || this.#isFull() ? 503 : undefined);
    if (refusal !== undefined) return refuse(socket, refusal);
    try {
      this.#webSockets.handleUpgrade(request, socket, head, (page) =>
        onPage({ socket: page, below: socket }),
      );
    } catch {
      // Another listener has taken the same request.
      socket.destroy();
    }
  }

  async #decide(admission: Admission, request: IncomingMessage): Promise<Refusal | undefined> {
    const { signal, clear } = deadline({
      ms: this.#options.handshakeTimeoutMs,
      signal: this.#closing.signal,
      timeoutError: () => new Error("not authorized in time"),
    });
    try {
      return await untilAborted(admission.check(request), signal);
    } catch {
      return this.#closing.signal.aborted ? 503 : 401;
    } finally {
      clear();
    }
  }
}

export function refuse(socket: Duplex, status: Refusal): void {
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, "Connection: close", "Content-Length: 0"];
  if (status === 426) head.push("Upgrade: websocket", "Sec-WebSocket-Version: 13");
  // An HTTP server leaves its half of a socket open until the other one is closed, which may be never.
  socket.once("finish", () => socket.destroy());
  socket.end(`${head.join("\r\n")}\r\n\r\n`);
}
