import type { WebSocket } from "ws";
import { deadline, untilAborted } from "../internal/abort.ts";
import { deferred } from "../internal/deferred.ts";
import { MAX_TIMER_MS, settledWithin } from "../internal/timer.ts";
import { type ProxyEnd, proxy } from "../transport/proxy.ts";
import type { Connection, Transport } from "../transport/transport.ts";
import { acceptedWebSocket } from "../transport/websocket/connection.ts";
import { CLOSE_CODES, type CloseCode } from "./close-codes.ts";
import type { CloseReason } from "./events.ts";
import { GuardedConnection } from "./guarded-connection.ts";
import type { ResolvedGatewayOptions } from "./options.ts";
import { PageHeartbeat } from "./page-heartbeat.ts";
import { PageClock } from "./page-limits.ts";
import { CLOSE_HANDSHAKE_MS, type OpenPage } from "./upgrade.ts";

/** Below a client's `initializeTimeoutMs` of 10 s, so that the page learns that the exec-server can't be reached. */
const DIAL_TIMEOUT_MS = 8_000;
/** Bytes read from a page while the exec-server is dialled. Above this, reading pauses and TCP holds the page up. */
const MAX_EARLY_BYTES = 1024 * 1024;
/** Milliseconds a slow page may take to receive what is queued when the exec-server's connection has ended. */
const DRAIN_TIMEOUT_MS = 30_000;

/** How a session ends: what the page sees, and what the operator sees. */
interface SessionEnd {
  readonly closeCode: CloseCode;
  readonly reason: CloseReason;
}

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
  readonly #heartbeat: PageHeartbeat;
  readonly #onReady: () => void;
  #end: SessionEnd | undefined;
  /** Why the connection ended, as the first of both sides showed. */
  reason: CloseReason | undefined;
  /** Why the exec-server could not be reached, or its transport failed. */
  error: unknown;
  /** The close code of the page's socket. */
  closeCode: number | undefined;
  /** Resolves when both connections are closed. */
  readonly closed: Promise<void>;

  /** @param onReady Called when the exec-server is reached. */
  constructor(
    { webSocket, socket, visit }: OpenPage,
    upstream: () => Promise<Transport>,
    options: ResolvedGatewayOptions,
    onReady: () => void,
  ) {
    this.#webSocket = webSocket;
    this.#options = options;
    this.#onReady = onReady;
    this.#page = acceptedWebSocket(webSocket, socket);
    this.#heartbeat = new PageHeartbeat(webSocket, options.heartbeatMs, () => {
      this.reason ??= "page-silent";
    });
    const clock = new PageClock({
      ...options,
      expiresAt: visit.identity.expiresAt,
      isPaused: () => webSocket.isPaused,
      onLimit: (reason) => void this.end({ closeCode: CLOSE_CODES.expired, reason }),
    });
    webSocket.on("message", () => clock.active());
    webSocket.once("error", (error) => {
      this.reason ??= isTooLong(error) ? "page-message-too-long" : "page-protocol";
      if (isTooLong(error)) this.closeCode ??= 1009;
    });
    webSocket.once("close", (code) => {
      clock.stop();
      this.reason ??= "page";
      this.closeCode ??= code;
      this.#pageClosed.resolve();
      this.#dialling.abort();
    });
    this.closed = this.#run(upstream);
  }

  /** Whether the page has not answered the last ping. */
  get hasMissedPing(): boolean {
    return this.#heartbeat.isMissed;
  }

  /** Whether `end` was called. */
  get isEnding(): boolean {
    return this.#end !== undefined;
  }

  /** Closes both sides without waiting for queued frames. The first end given is used. */
  async end(end: SessionEnd): Promise<void> {
    this.#end ??= end;
    this.#ending.abort();
    this.#dialling.abort();
    await this.closed;
  }

  async #run(transport: () => Promise<Transport>): Promise<void> {
    const upstream = await this.#dial(transport);
    if (!upstream) {
      this.#page.start({ onFrame() {}, onEnd() {} });
      return await this.#closePage(UNREACHABLE);
    }
    this.#onReady();
    const { maxMessageBytes: client, maxUpstreamMessageBytes: server } = this.#options;
    await proxy(this.#page, upstream, {
      maxLengths: { client, server },
      signal: this.#ending.signal,
      closeClient: (end) => this.#closePage(endFor(end)),
    });
    this.error ??= upstream.error;
  }

  /** Resolves with undefined when the exec-server can't be reached, or the page no longer needs it. */
  async #dial(transport: () => Promise<Transport>): Promise<GuardedConnection | undefined> {
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
      const connection = await untilAborted(dialling, signal, (late) => closed(late));
      return new GuardedConnection(connection, this.#options.heartbeatMs);
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
  async #closePage(end: SessionEnd): Promise<void> {
    await this.#settled(this.#page.flow?.drained(), DRAIN_TIMEOUT_MS);
    const { closeCode, reason: why } = this.#end ?? end;
    const { code, reason } = closeCode;
    if (this.#webSocket.readyState === this.#webSocket.OPEN) {
      this.reason ??= why;
      this.closeCode = code;
      this.#webSocket.close(code, reason);
    }
    await this.#settled(this.#pageClosed.promise, CLOSE_HANDSHAKE_MS);
    await this.#page.close();
  }
}

const UNREACHABLE: SessionEnd = {
  closeCode: CLOSE_CODES.upstreamUnreachable,
  reason: "upstream-unreachable",
};

function endFor(end: ProxyEnd | undefined): SessionEnd {
  return end?.side === "server" && end.tooLong
    ? { closeCode: CLOSE_CODES.upstreamMessageTooLong, reason: "upstream-message-too-long" }
    : { closeCode: CLOSE_CODES.upstreamEnded, reason: "upstream-ended" };
}

/** Closes a custom connection whose close() may throw. */
async function closed(connection: Connection): Promise<void> {
  await new GuardedConnection(connection, MAX_TIMER_MS).close();
}

function isTooLong(error: Error): boolean {
  return (error as { code?: unknown }).code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH";
}
