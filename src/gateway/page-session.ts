import type { WebSocket } from "ws";
import { deadline, untilAborted } from "../internal/abort.ts";
import { deferred } from "../internal/deferred.ts";
import { settledWithin } from "../internal/timer.ts";
import { type ProxyEnd, proxy } from "../transport/proxy.ts";
import type { Connection, Transport } from "../transport/transport.ts";
import { acceptedWebSocket } from "../transport/websocket/connection.ts";
import { CLOSE_CODES, type CloseCode, type ResolvedGatewayOptions } from "./options.ts";
import { CLOSE_HANDSHAKE_MS, type OpenPage } from "./upgrade.ts";

const DIAL_TIMEOUT_MS = 10_000;
/** Bytes read from a page while the exec-server is dialled. Above this, reading pauses and TCP holds the page up. */
const MAX_EARLY_BYTES = 1024 * 1024;
/** Milliseconds a slow page may take to receive what is queued when the exec-server's connection has ended. */
const DRAIN_TIMEOUT_MS = 30_000;
/** Pings without a pong after which a page is considered gone. */
const MAX_UNANSWERED_PINGS = 4;

/** One page and its one connection to the exec-server. When either ends, both are closed. */
export class PageSession {
  readonly #webSocket: WebSocket;
  readonly #page: Connection;
  readonly #options: ResolvedGatewayOptions;
  /** Aborts when the session is ended from this side: nothing is waited for any more. */
  readonly #ending = new AbortController();
  /** Aborts when the page has left, or the session is ended. */
  readonly #dialling = new AbortController();
  readonly #pageClosed = deferred<void>();
  #endCode: CloseCode | undefined;
  /** Why the exec-server could not be reached. */
  error: unknown;
  /** The close code of the page's socket. */
  closeCode: number | undefined;
  /** Resolves when both connections are closed. */
  readonly closed: Promise<void>;

  constructor(
    { webSocket, socket }: OpenPage,
    upstream: () => Promise<Transport>,
    options: ResolvedGatewayOptions,
  ) {
    this.#webSocket = webSocket;
    this.#options = options;
    this.#page = acceptedWebSocket(webSocket, socket);
    webSocket.once("close", (code) => {
      this.closeCode ??= code;
      this.#pageClosed.resolve();
      this.#dialling.abort();
    });
    startHeartbeat(webSocket, options.heartbeatMs);
    this.closed = this.#run(upstream);
  }

  /** Closes both sides without waiting for queued frames. The first code given is used. */
  async end(closeCode: CloseCode): Promise<void> {
    this.#endCode ??= closeCode;
    this.#ending.abort();
    this.#dialling.abort();
    await this.closed;
  }

  async #run(transport: () => Promise<Transport>): Promise<void> {
    const upstream = await this.#dial(transport);
    if (!upstream) {
      this.#page.start({ onFrame() {}, onEnd() {} });
      return await this.#closePage(CLOSE_CODES.upstreamUnreachable);
    }
    const { maxMessageBytes: client, maxUpstreamMessageBytes: server } = this.#options;
    await proxy(this.#page, upstream, {
      maxLengths: { client, server },
      signal: this.#ending.signal,
      closeClient: (end) => this.#closePage(closeCodeFor(end)),
    });
  }

  /** Resolves with undefined when the exec-server can't be reached, or the page no longer needs it. */
  async #dial(transport: () => Promise<Transport>): Promise<Connection | undefined> {
    const stopLimiting = this.#limitEarlyFrames();
    const { signal, clear } = deadline({
      ms: DIAL_TIMEOUT_MS,
      signal: this.#dialling.signal,
      timeoutError: () =>
        new Error(`Timed out after ${DIAL_TIMEOUT_MS} ms while connecting to the exec-server`),
    });
    try {
      const dialling = transport().then((made) => made.connect({ signal }));
      // A custom transport may ignore the signal.
      return await untilAborted(dialling, signal, (late) => late.close());
    } catch (error) {
      if (!this.#dialling.signal.aborted) this.error = error;
      return undefined;
    } finally {
      clear();
      stopLimiting();
    }
  }

  /** Keeps reading, which is how the page's close is noticed, up to a limit. Returns a function that lifts the limit. */
  #limitEarlyFrames(): () => void {
    let bytes = 0;
    const onMessage = (data: { readonly byteLength: number }): void => {
      bytes += data.byteLength;
      if (bytes > MAX_EARLY_BYTES) this.#webSocket.pause();
    };
    this.#webSocket.on("message", onMessage);
    return () => {
      this.#webSocket.off("message", onMessage);
      this.#webSocket.resume();
    };
  }

  /** Waits until `work` has settled or the session is ended, at most `ms`. */
  async #settled(work: Promise<unknown> | undefined, ms: number): Promise<void> {
    await settledWithin(untilAborted(Promise.resolve(work), this.#ending.signal), ms);
  }

  /** Sends what is queued, then closes the page's socket. The page answers after reading everything before the close. */
  async #closePage(closeCode: CloseCode): Promise<void> {
    await this.#settled(this.#page.flow?.drained(), DRAIN_TIMEOUT_MS);
    const { code, reason } = this.#endCode ?? closeCode;
    if (this.#webSocket.readyState === this.#webSocket.OPEN) {
      this.closeCode = code;
      this.#webSocket.close(code, reason);
    }
    await this.#settled(this.#pageClosed.promise, CLOSE_HANDSHAKE_MS);
    await this.#page.close();
  }
}

function closeCodeFor(end: ProxyEnd | undefined): CloseCode {
  return end?.side === "server" && end.tooLong
    ? CLOSE_CODES.upstreamMessageTooLong
    : CLOSE_CODES.upstreamEnded;
}

/**
 * Pings a page while its socket is open. This detects a machine that lost its network, and a page that leaves while
 * reading from it is paused: the end of a socket that is not read shows only in a write.
 */
function startHeartbeat(page: WebSocket, everyMs: number): void {
  let unanswered = 0;
  const beat = (): void => {
    // A write is pending already, and a slow page would receive the ping only after it.
    if (page.bufferedAmount > 0) return;
    if (unanswered === MAX_UNANSWERED_PINGS) page.terminate();
    else page.ping();
    // While paused, no pong is read.
    if (!page.isPaused) unanswered++;
  };
  const timer = setInterval(beat, everyMs);
  page.on("pong", () => {
    unanswered = 0;
  });
  page.once("close", () => clearInterval(timer));
}
