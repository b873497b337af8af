import { ConnectError } from "../../errors/connection.ts";
import { ExecServerError, redactUrls } from "../../errors/error.ts";
import { untilAborted } from "../../internal/abort.ts";
import { invalid, received } from "../../internal/arguments.ts";
import { deferred } from "../../internal/deferred.ts";
import { asyncDispose } from "../../internal/dispose.ts";
import { GuardedConnection } from "../guarded-connection.ts";
import { type ProxyEnd, proxy } from "../proxy.ts";
import {
  type Connection,
  type ConnectionEnd,
  MAX_INCOMING_FRAME,
  opened,
  type Transport,
} from "../transport.ts";
import { type NegotiationMessage, PortConnection } from "./connection.ts";
import { refusedMessage, unexpectedMessage } from "./errors.ts";
import { checkedPort, livenessOf, type PortLike, type PortOptions } from "./port.ts";

/** Longest frame in characters from either side. No exec-server accepts more than 16 MiB, and no client sends more. */
const MAX_LENGTHS = { client: 16 * 1024 * 1024, server: MAX_INCOMING_FRAME };

/** How a bridge ended. Holds no credentials. */
export interface BridgeEnd {
  /** Which side ended it: the client on the port, also by its silence; the exec-server; or a call of `close()`. */
  readonly side: "client" | "server" | "bridge";
  /** The reason as text. */
  readonly reason: string;
  /** WebSocket close code of the exec-server's connection, where there is one. */
  readonly closeCode?: number | undefined;
  /** Why the exec-server could not be reached, if the last attempt failed. */
  readonly error?: ExecServerError | undefined;
}

/** A running bridge. */
export interface Bridge extends AsyncDisposable {
  /** Resolves when both connections are closed. Never rejects. */
  readonly ended: Promise<BridgeEnd>;
  /** Closes both connections at once, without waiting for queued frames. */
  close(): Promise<void>;
}

/**
 * Connects a client behind a message port, which uses `messagePort()`, to an exec-server. Electron's main process does so
 * for its sandboxed renderers, a page for its workers and frames. One bridge has one port and one connection, which is
 * dialled when the client requests it. When one side ends, its remaining frames are forwarded and the other side is
 * closed. A client that disappears without closing its port is detected by its silence.
 *
 * A client that is slow to read holds up the exec-server instead of filling this process's memory, if the transport has
 * flow control: those of `exec-server-sdk/node` have it, the WebSocket of a browser does not.
 *
 * @throws UsageError `ERR_INVALID_ARGUMENT` for a value that is no port or no transport, and for an invalid option.
 * @example
 * import { bridge, LazyExecServerClient, messagePort, webSocket } from "exec-server-sdk";
 *
 * const { port1, port2 } = new MessageChannel();
 * const { ended } = bridge(port1, webSocket("ws://127.0.0.1:8080"));
 * const behind = new LazyExecServerClient({ transport: messagePort(port2) });
 * console.log((await behind.run(["uname"])).stdout);
 * await behind.close();
 * const { side, reason } = await ended;
 */
export function bridge(port: PortLike, transport: Transport, options: PortOptions = {}): Bridge {
  if (typeof transport?.connect !== "function") {
    invalid(
      `bridge(): transport must be a transport such as webSocket() or stdio(), got ${received(transport)}`,
    );
  }
  const running = new PortBridge(checkedPort("bridge()", port), transport, livenessOf("bridge()", options));
  const close = (): Promise<void> => running.close();
  // A plain object, not the class: bundlers keep a class with a computed name, used or not.
  return { ended: running.ended, close, [asyncDispose]: close };
}

/** One request of the client for a connection. */
interface Attempt {
  readonly number: number;
  readonly controller: AbortController;
  server?: Connection;
}

class PortBridge {
  readonly #client: PortConnection;
  readonly #transport: Transport;
  readonly #closing = new AbortController();
  /** The server's connection once the client has accepted it; undefined if the bridge ended before. */
  readonly #accepted = deferred<Connection | undefined>();
  #attempt: Attempt | undefined;
  #isAccepted = false;
  #error: ExecServerError | undefined;
  /** The closing of connections that the client did not accept. */
  readonly #abandoned: Promise<void>[] = [];
  readonly ended: Promise<BridgeEnd>;

  constructor(port: PortLike, transport: Transport, livenessMs: number) {
    this.#transport = transport;
    this.#client = new PortConnection(port, livenessMs, (message) => this.#onNegotiation(message));
    void this.#client.ended.then(() => this.#accepted.resolve(undefined));
    this.ended = this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#accepted.resolve(undefined);
    await this.ended;
  }

  async #run(): Promise<BridgeEnd> {
    const server = await this.#accepted.promise;
    const end = server
      ? await proxy(this.#client, server, {
          maxLengths: MAX_LENGTHS,
          signal: this.#closing.signal,
          closeClient: (proxyEnd) => this.#client.close(closeInfo(proxyEnd)),
        })
      : await this.#abandon();
    const { reason = "", closeCode } = closeInfo(end);
    return { side: end?.side ?? "bridge", reason: redactUrls(reason), closeCode, error: this.#error };
  }

  /** Ends a bridge whose client has accepted no connection. */
  async #abandon(): Promise<ProxyEnd | undefined> {
    const endedHere = this.#client.isOpen;
    this.#abortAttempt();
    await this.#client.close(closeInfo(undefined));
    await Promise.all(this.#abandoned);
    return endedHere ? undefined : { side: "client", tooLong: false, end: await this.#client.ended };
  }

  #onNegotiation(message: NegotiationMessage): void {
    // It crossed with the close message. Nothing is negotiated any more.
    if (this.#closing.signal.aborted) return;
    const attempt = this.#attempt;
    const isCurrent = attempt?.number === message.attempt;
    if (message.type === "hello" && !attempt && !this.#isAccepted) {
      this.#attempt = { number: message.attempt, controller: new AbortController() };
      void this.#dial(this.#attempt);
    } else if (message.type === "withdrawn") {
      // Not current if it crossed with a refusal.
      if (isCurrent) this.#abortAttempt();
    } else if (message.type === "accepted" && isCurrent && attempt.server) {
      this.#attempt = undefined;
      this.#isAccepted = true;
      this.#client.establish();
      this.#accepted.resolve(attempt.server);
    } else throw unexpectedMessage(message.type);
  }

  async #dial(attempt: Attempt): Promise<void> {
    const { number, controller } = attempt;
    const { signal } = controller;
    this.#error = undefined;
    this.#client.watch(true);
    try {
      const dialling = (async () => new GuardedConnection(await opened(this.#transport, { signal })))();
      // A custom transport can ignore the signal.
      const server = await untilAborted(dialling, signal, (late) => late.close());
      attempt.server = server;
      if (signal.aborted) this.#abandoned.push(server.close());
      else this.#client.post({ type: "opened", attempt: number });
    } catch (error) {
      if (signal.aborted) return;
      this.#attempt = undefined;
      this.#error = dialError(error);
      this.#client.post(refusedMessage(number, this.#error));
      this.#client.watch(false);
    }
  }

  /** Releases the current attempt. The client may request another connection. */
  #abortAttempt(): void {
    const attempt = this.#attempt;
    if (!attempt) return;
    this.#attempt = undefined;
    this.#client.watch(false);
    attempt.controller.abort();
    if (attempt.server) this.#abandoned.push(attempt.server.close());
  }
}

function dialError(error: unknown): ExecServerError {
  if (error instanceof ExecServerError) return error;
  return new ConnectError("Could not connect to the exec-server", { phase: "dial", cause: error });
}

/** The end as it is reported to the client. Undefined stands for a call of `close()`. */
function closeInfo(how: ProxyEnd | undefined): ConnectionEnd {
  if (!how) return { reason: "the bridge was closed" };
  if (how.tooLong) return { reason: `the ${how.side}'s message is too long` };
  return { ...how.end, reason: how.end.reason ?? "the exec-server's connection ended" };
}
