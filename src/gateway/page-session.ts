import { DisconnectedError } from "../errors/connection.ts";
import { deadline, untilAborted } from "../internal/abort.ts";
import { settledWithin } from "../internal/timer.ts";
import { streamDialerOf } from "../node/upgraded-stream.ts";
import { type ProxyEnd, proxy } from "../transport/proxy.ts";
import { type ConnectionEnd, opened, type Transport } from "../transport/transport.ts";
import { CLOSE_CODES, type CloseCode } from "./close-codes.ts";
import type { CloseReason } from "./events.ts";
import type { ResolvedGatewayOptions } from "./options.ts";
import { PageClock } from "./page-limits.ts";
import { FAULT_TEXTS, type PageLink, type PeerFault } from "./page-link.ts";
import { PingedConnection } from "./pinged-connection.ts";
import { ProxiedPage } from "./proxied-page.ts";
import { dialTimeout } from "./readiness.ts";
import { relay, serverEndpoint } from "./relay/relay.ts";
import { TakenPage } from "./relay/taken-page.ts";
import { CLOSE_HANDSHAKE_MS, type OpenPage } from "./upgrade.ts";

/** Below a client's `initializeTimeoutMs` of 10 s, so that the page learns that the exec-server can't be reached. */
const DIAL_TIMEOUT_MS = 8_000;
/** Milliseconds a slow page may take to receive what is queued when the exec-server's connection has ended. */
const DRAIN_TIMEOUT_MS = 30_000;

/** How a session ends: what the page sees, and what the operator sees. */
interface SessionEnd {
  readonly closeCode: CloseCode;
  readonly reason: CloseReason;
}

/** An open connection to the exec-server. */
interface Upstream {
  /** Passes on everything until one side has ended, then closes both. Resolves with an error of the transport. */
  forward(): Promise<unknown>;
  close(): Promise<void>;
}

/** One page and its one connection to the exec-server. When either ends, both are closed. */
export class PageSession {
  readonly #open: OpenPage;
  readonly #options: ResolvedGatewayOptions;
  /** The page before it is known how its frames are passed on, and afterwards if they are relayed. */
  readonly #taken: TakenPage | undefined;
  readonly #clock: PageClock;
  #page: PageLink;
  /** The exec-server's side, once it is reached. */
  #server: { beat(): void } | undefined;
  /** Aborts when the session is ended from this side: nothing is waited for any more. */
  readonly #ending = new AbortController();
  /** Aborts when the page has left, or the session is ended. */
  readonly #dialling = new AbortController();
  readonly #heartbeat: NodeJS.Timeout;
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
    open: OpenPage,
    upstream: () => Promise<Transport>,
    options: ResolvedGatewayOptions,
    onReady: () => void,
  ) {
    this.#open = open;
    this.#options = options;
    this.#onReady = onReady;
    this.#clock = new PageClock({
      ...options,
      expiresAt: open.visit.identity.expiresAt,
      isPaused: () => this.#page.isPaused,
      onLimit: (reason) => void this.end({ closeCode: CLOSE_CODES.expired, reason }),
    });
    this.#taken = TakenPage.from(open.socket, options.maxMessageBytes);
    this.#page = this.#taken?.endpoint ?? new ProxiedPage(open.webSocket, open.socket);
    this.#watch(this.#page);
    this.#heartbeat = setInterval(() => {
      this.#page.beat();
      this.#server?.beat();
    }, options.heartbeatMs);
    // The function, and the request that it knows, are not kept beyond the dial.
    this.closed = this.#dial(upstream)
      .then((dialled) => this.#forward(dialled))
      .finally(() => {
        clearInterval(this.#heartbeat);
        this.#clock.stop();
      });
  }

  /** Whether the page has not answered the last ping. */
  get hasMissedPing(): boolean {
    return this.#page.hasMissedPing;
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

  async #forward(upstream: Upstream | undefined): Promise<void> {
    if (upstream) {
      this.#onReady();
      this.error ??= await upstream.forward();
      return;
    }
    this.#page.discard();
    await this.#closePage(UNREACHABLE);
  }

  #watch(page: PageLink): void {
    page.onMessage = () => this.#clock.active();
    page.onEnd(({ closeCode, fault }) => {
      if (page !== this.#page) return;
      this.#clock.stop();
      this.reason ??= fault ? `page-${fault}` : "page";
      this.closeCode ??= closeCode;
      this.#dialling.abort();
    });
  }

  /** Resolves with undefined when the exec-server can't be reached, or the page no longer needs it. */
  async #dial(transport: () => Promise<Transport>): Promise<Upstream | undefined> {
    const { signal, clear } = deadline({
      ms: DIAL_TIMEOUT_MS,
      signal: this.#dialling.signal,
      timeoutError: () => dialTimeout(DIAL_TIMEOUT_MS),
    });
    try {
      const dialling = transport().then((made) => {
        signal.throwIfAborted();
        return this.#dialRelay(made, signal) ?? this.#dialProxy(made, signal);
      });
      // A custom transport may ignore the signal.
      return await untilAborted(dialling, signal, (late) => late.close());
    } catch (error) {
      if (!this.#dialling.signal.aborted) this.error = error;
      return undefined;
    } finally {
      clear();
    }
  }

  /** Undefined for a transport that has no stream of frames. */
  #dialRelay(transport: Transport, signal: AbortSignal): Promise<Upstream> | undefined {
    const dialer = streamDialerOf(transport);
    const page = this.#taken;
    if (!dialer || !page) return undefined;
    page.keep();
    return dialer({ signal }).then((upgraded) => {
      const server = serverEndpoint(upgraded, this.#options.maxUpstreamMessageBytes);
      this.#server = server;
      return {
        forward: async () => {
          await relay(page.endpoint, server, {
            signal: this.#ending.signal,
            closePage: (tooLong) => this.#closePage(endFor(tooLong)),
          });
          const fault = await new Promise<PeerFault | undefined>((resolve) =>
            server.onEnd((end) => resolve(end.fault)),
          );
          return fault && new DisconnectedError(FAULT_TEXTS[fault]);
        },
        close: () => {
          server.close(1000);
          return server.finish();
        },
      };
    });
  }

  async #dialProxy(transport: Transport, signal: AbortSignal): Promise<Upstream> {
    const page = this.#proxiedPage();
    const server = new PingedConnection(await opened(transport, { signal }));
    this.#server = server;
    const { maxMessageBytes, maxUpstreamMessageBytes } = this.#options;
    return {
      forward: async () => {
        page.liftLimit();
        const end = await proxy(page.connection, server, {
          maxLengths: { client: maxMessageBytes, server: maxUpstreamMessageBytes },
          signal: this.#ending.signal,
          closeClient: (end) => this.#closePage(endFor(isTooLong(end))),
        });
        return server.error ?? endError(end);
      },
      close: () => server.close(),
    };
  }

  /** The page as `ws` reads it. */
  #proxiedPage(): ProxiedPage {
    if (this.#page instanceof ProxiedPage) return this.#page;
    const page = new ProxiedPage(this.#open.webSocket, this.#open.socket);
    this.#page = page;
    this.#watch(page);
    this.#taken?.giveBack();
    return page;
  }

  /** Waits until `work` has settled or the session is ended, at most `ms`. */
  async #settled(work: Promise<unknown>, ms: number): Promise<void> {
    await settledWithin(untilAborted(work, this.#ending.signal), ms);
  }

  /** Sends what is queued, then closes the page's socket. The page answers after reading everything before the close. */
  async #closePage(end: SessionEnd): Promise<void> {
    const page = this.#page;
    await this.#settled(page.drained(), DRAIN_TIMEOUT_MS);
    const { closeCode, reason } = this.#end ?? end;
    if (page.close(closeCode.code, closeCode.reason)) {
      this.closeCode = closeCode.code;
      this.reason ??= reason;
    }
    await this.#settled(page.closed(), CLOSE_HANDSHAKE_MS);
    await page.finish();
  }
}

const UNREACHABLE: SessionEnd = {
  closeCode: CLOSE_CODES.upstreamUnreachable,
  reason: "upstream-unreachable",
};

const isTooLong = (end: ProxyEnd | undefined): boolean => end?.side === "server" && end.tooLong;

/** How the exec-server's connection ended, if that says more than that it did. */
function endError(end: ProxyEnd | undefined): Error | undefined {
  const { reason, closeCode }: ConnectionEnd = end?.side === "server" ? end.end : {};
  return reason === undefined ? undefined : new DisconnectedError(reason, { closeCode });
}

function endFor(upstreamTooLong: boolean): SessionEnd {
  return upstreamTooLong
    ? { closeCode: CLOSE_CODES.upstreamMessageTooLong, reason: "upstream-message-too-long" }
    : { closeCode: CLOSE_CODES.upstreamEnded, reason: "upstream-ended" };
}
