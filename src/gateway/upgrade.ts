import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { deadline, untilAborted } from "../internal/abort.ts";
import { GATEWAY_NAME } from "../internal/gateway-name.ts";
import type { Admission, Refusal } from "./admission.ts";
import { GATEWAY_PROTOCOL, type ResolvedGatewayOptions } from "./options.ts";

/** Milliseconds a page may take to answer a close frame. It has to read everything sent before it first. */
export const CLOSE_HANDSHAKE_MS = 10_000;

/** A page whose upgrade is complete. */
export interface OpenPage {
  readonly webSocket: WebSocket;
  /** The TCP or TLS socket below the WebSocket. */
  readonly socket: Duplex;
}

/** Turns upgrade requests into open WebSockets, or refuses them. */
export class Upgrades {
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
      // Never echoes the token, which is offered as a subprotocol as well.
      handleProtocols: () => GATEWAY_PROTOCOL,
      closeTimeout: CLOSE_HANDSHAKE_MS,
    } as ConstructorParameters<typeof WebSocketServer>[0]);
    this.#webSockets.on("headers", (headers) => headers.push(`Via: 1.1 ${GATEWAY_NAME}`));
  }

  /** Refuses every request with 503 from now on, pending ones included. */
  close(): void {
    this.#closing.abort();
  }

  async handle(
    admission: Admission,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    onPage: (page: OpenPage) => void,
  ): Promise<void> {
    // The socket has no other error listener until it is upgraded.
    socket.on("error", () => {});
    const refusal = (await this.#decide(admission, request)) ?? this.#unavailable();
    if (refusal !== undefined) return refuse(socket, refusal);
    try {
      this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => onPage({ webSocket, socket }));
    } catch {
      // Another upgrade listener has handled the same request.
      socket.destroy();
    }
  }

  /** Checked in the same turn as the upgrade: pages may connect, or the gateway close, while a request is pending. */
  #unavailable(): Refusal | undefined {
    return this.#closing.signal.aborted || this.#isFull() ? 503 : undefined;
  }

  async #decide(admission: Admission, request: IncomingMessage): Promise<Refusal | undefined> {
    const ms = this.#options.handshakeTimeoutMs;
    const { signal, clear } = deadline({
      ms,
      signal: this.#closing.signal,
      timeoutError: () => new Error(`Timed out after ${ms} ms while authorizing`),
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
  // Node's HTTP server waits for the peer to close its half of the socket, which may never happen.
  socket.once("finish", () => socket.destroy());
  socket.end(`${head.join("\r\n")}\r\n\r\n`);
}
