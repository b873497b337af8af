import type { WebSocket } from "ws";
import { settledWithin } from "../internal/deadline.ts";
import { deferred } from "../internal/deferred.ts";
import { bridge } from "../transport/bridge.ts";
import type { Connection, Transport } from "../transport/transport.ts";
import { acceptedWebSocket } from "../transport/websocket-connection.ts";

/** How a page's socket is closed; a page sees the code as `closeCode` of its error. */
export const CLOSE_CODES = {
  /** The exec-server's connection ended, after everything that came from it was passed on. */
  upstreamEnded: { code: 4001, reason: "the exec-server's connection ended" },
  /** The exec-server could not be reached. */
  upstreamUnreachable: { code: 4002, reason: "the exec-server can't be reached" },
  /** The gateway is shutting down. */
  gatewayClosing: { code: 1001, reason: "the gateway is closing" },
} as const;

type CloseCode = (typeof CLOSE_CODES)[keyof typeof CLOSE_CODES];

const DIAL_TIMEOUT_MS = 10_000;
/** How long what has arrived may take to reach a slow page, or a slow server, when the other side is gone. */
const FLUSH_MS = 30_000;

/** One page and its one connection to the exec-server; the end of either is the end of both. */
export class PageLink {
  readonly #socket: WebSocket;
  readonly #page: Connection;
  readonly #dial = new AbortController();
  readonly #cut = deferred<void>();
  #upstream: Connection | undefined;
  /** Resolves when both connections are closed. */
  readonly over: Promise<void>;

  constructor(socket: WebSocket, upstream: () => Promise<Transport>) {
    this.#socket = socket;
    this.#page = acceptedWebSocket(socket);
    this.over = this.#run(upstream);
  }

  /** Ends both sides, without waiting for what is still under way. */
  async end(code: CloseCode): Promise<void> {
    this.#cut.resolve();
    this.#dial.abort();
    this.#closePage(code);
    await this.#page.close();
    await this.over;
  }

  async #run(upstream: () => Promise<Transport>): Promise<void> {
    // What the page says early waits for the exec-server in the kernel, not here.
    this.#page.flow?.pause();
    const onEarlyEnd = (): void => this.#dial.abort();
    this.#socket.once("close", onEarlyEnd);
    try {
      this.#upstream = await this.#connect(upstream);
    } catch {
      this.#page.flow?.resume();
      this.#closePage(CLOSE_CODES.upstreamUnreachable);
      return await this.#page.close();
    } finally {
      this.#socket.off("close", onEarlyEnd);
    }
    this.#page.flow?.resume();
    const ended = await bridge(this.#page, this.#upstream);
    const survivor = ended === "left" ? this.#upstream : this.#page;
    if (survivor.flow)
      await settledWithin(Promise.race([survivor.flow.drained(), this.#cut.promise]), FLUSH_MS);
    this.#closePage(CLOSE_CODES.upstreamEnded);
    await Promise.all([this.#page.close(), this.#upstream.close()]);
  }

  async #connect(upstream: () => Promise<Transport>): Promise<Connection> {
    const timer = setTimeout(() => this.#dial.abort(), DIAL_TIMEOUT_MS);
    try {
      const transport = await upstream();
      return await transport.connect({ signal: this.#dial.signal });
    } finally {
      clearTimeout(timer);
    }
  }

  #closePage({ code, reason }: CloseCode): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.close(code, reason);
  }
}
