import type { WebSocket } from "ws";
import { deadline, untilAborted } from "../internal/abort.ts";
import { deferred } from "../internal/deferred.ts";
import { settledWithin } from "../internal/timer.ts";
import { join } from "../transport/proxy.ts";
import type { Connection, Transport } from "../transport/transport.ts";
import { acceptedWebSocket } from "../transport/websocket/connection.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { CLOSE_CODES, type CloseCode, type ResolvedGatewayOptions } from "./options.ts";
import { GOODBYE_MS, type OpenPage } from "./upgrade.ts";

const DIAL_TIMEOUT_MS = 10_000;
/** What a page may say before the exec-server is there; the rest waits in the kernel. */
const MAX_EARLY_BYTES = 1024 * 1024;
/** How long what has arrived may take to reach a slow page when the server is gone. */
const LAST_OUTPUT_MS = 30_000;

/** One page and its one connection to the exec-server; the end of either is the end of both. */
export class PageSession {
  readonly #socket: WebSocket;
  readonly #page: Connection;
  readonly #options: ResolvedGatewayOptions;
  readonly #dialling = new AbortController();
  readonly #pageGone = deferred<void>();
  readonly #cut = deferred<void>();
  #verdict: CloseCode | undefined;
  /** Why the exec-server could not be reached. */
  error: unknown;
  /** How the page's socket was closed. */
  closeCode: number | undefined;
  /** Resolves when both connections are closed. */
  readonly over: Promise<void>;

  constructor(
    { socket, below }: OpenPage,
    upstream: () => Promise<Transport>,
    options: ResolvedGatewayOptions,
  ) {
    this.#socket = socket;
    this.#options = options;
    this.#page = acceptedWebSocket(socket, below);
    socket.once("close", (code) => {
      this.closeCode ??= code;
      this.#pageGone.resolve();
      this.#dialling.abort();
    });
    startHeartbeat(socket, options.heartbeatMs);
    this.over = this.#run(upstream);
  }

  /** Ends both sides, without waiting for what is still under way. */
  async end(verdict: CloseCode): Promise<void> {
    this.#verdict ??= verdict;
    this.#cut.resolve();
    this.#dialling.abort();
    await this.over;
  }

  async #run(transport: () => Promise<Transport>): Promise<void> {
    const upstream = await this.#dial(transport);
    if (!upstream) {
      this.#page.start({ onFrame() {}, onEnd() {} });
      return await this.#part(CLOSE_CODES.upstreamUnreachable);
    }
    const { maxMessageBytes: client, maxUpstreamMessageBytes: server } = this.#options;
    await join(this.#page, upstream, {
      maxLengths: { client, server },
      cut: this.#cut.promise,
      part: (end) =>
        this.#part(
          end?.side === "server" && end.tooLong
            ? CLOSE_CODES.upstreamMessageTooLong
            : CLOSE_CODES.upstreamEnded,
        ),
    });
  }

  /** Undefined when the exec-server can't be reached, or nobody waits for it any more. */
  async #dial(transport: () => Promise<Transport>): Promise<Connection | undefined> {
    const stopCounting = this.#holdEarlyFrames();
    const { signal, clear } = deadline({
      ms: DIAL_TIMEOUT_MS,
      signal: this.#dialling.signal,
      timeoutError: () => new Error("the exec-server did not answer in time"),
    });
    try {
      const dialling = transport().then((made) => made.connect({ signal }));
      // Whatever a transport of somebody else makes of the signal.
      return await untilAborted(dialling, signal, (late) => late.close());
    } catch (error) {
      if (!this.#dialling.signal.aborted) this.error = error;
      return undefined;
    } finally {
      clear();
      stopCounting();
    }
  }

  /** Goes on reading, for that is how the page's end is noticed, but not without bounds. Returns what lifts that. */
  #holdEarlyFrames(): () => void {
    let bytes = 0;
    const onMessage = (data: { readonly byteLength: number }): void => {
      bytes += data.byteLength;
      if (bytes > MAX_EARLY_BYTES) this.#socket.pause();
    };
    this.#socket.on("message", onMessage);
    return () => {
      this.#socket.off("message", onMessage);
      this.#socket.resume();
    };
  }

  async #unlessCut(work: Promise<unknown> | undefined, ms: number): Promise<void> {
    await settledWithin(Promise.race([work, this.#cut.promise]), ms);
  }

  /** Closes the page's socket. Its answer comes after it has read all that was sent before. */
  async #part(why: CloseCode): Promise<void> {
    await this.#unlessCut(this.#page.flow?.drained(), LAST_OUTPUT_MS);
    const { code, reason } = this.#verdict ?? why;
    if (this.#socket.readyState === this.#socket.OPEN) {
      this.closeCode = code;
      this.#socket.close(code, reason);
    }
    await this.#unlessCut(this.#pageGone.promise, GOODBYE_MS);
    await this.#page.close();
  }
}
