import { ConnectError, ExecServerError, redactUrls, UsageError } from "../../errors.ts";
import { untilAborted } from "../../internal/abort.ts";
import { deferred } from "../../internal/deferred.ts";
import { asyncDispose } from "../../internal/dispose.ts";
import { closed, join, type ProxyEnd } from "../proxy.ts";
import { type Connection, type ConnectionEnd, MAX_INCOMING_FRAME, type Transport } from "../transport.ts";
import { PortConnection, type PortSignal } from "./connection.ts";
import { outOfPlace, refusalOf } from "./errors.ts";
import { checkedPort, livenessOf, type PortLike, type PortOptions } from "./port.ts";

/** Longest frame in characters from either side; no exec-server takes more, and no client of ours sends it. */
const MAX_LENGTHS = { client: 16 * 1024 * 1024, server: MAX_INCOMING_FRAME };

/** How a bridge ended. Holds nothing secret. */
export interface BridgeEnd {
  /** Who ended it: the client on the port, be it by its silence; the exec-server; or a call of `close()`. */
  readonly side: "client" | "server" | "bridge";
  /** Why, in words. */
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
  /** Ends both connections, without waiting for what is still under way. */
  close(): Promise<void>;
}

/**
 * Joins a client behind a message port, which uses `messagePort()`, to an exec-server: Electron's main process does so
 * for its sandboxed renderers, a page for its workers and frames. One bridge is one port and one connection, dialled
 * when the client wishes for it. The end of either side, after everything that had arrived was passed on, is the end of
 * both; a client that vanished without a word is noticed by its silence.
 *
 * A client that is slow to read holds up the exec-server instead of filling this process's memory, if the transport has
 * a brake: those of `exec-server-sdk/node` have one, the WebSocket of a browser has none.
 *
 * @throws UsageError `ERR_INVALID_ARGUMENT` for a port or a transport that is none.
 */
export function bridge(port: PortLike, transport: Transport, options: PortOptions = {}): Bridge {
  if (typeof transport?.connect !== "function") {
    throw new UsageError(
      "ERR_INVALID_ARGUMENT",
      "bridge() needs a transport, such as webSocket() or stdio()",
    );
  }
  const running = new PortBridge(checkedPort(port), transport, livenessOf(options));
  const close = (): Promise<void> => running.close();
  // No method of the class: bundlers keep a class with a computed name, used or not.
  return { ended: running.ended, close, [asyncDispose]: close };
}

/** One wish of the client's for a connection. */
interface Attempt {
  readonly number: number;
  readonly controller: AbortController;
  server?: Connection;
}

class PortBridge {
  readonly #client: PortConnection;
  readonly #transport: Transport;
  readonly #cut = deferred<void>();
  readonly #agreed = deferred<Connection>();
  #attempt: Attempt | undefined;
  #isAgreed = false;
  #isClosing = false;
  #error: ExecServerError | undefined;
  /** The closing of what was opened for nobody. */
  readonly #leftovers: Promise<void>[] = [];
  readonly ended: Promise<BridgeEnd>;

  constructor(port: PortLike, transport: Transport, livenessMs: number) {
    this.#transport = transport;
    this.#client = new PortConnection(port, livenessMs, (signal) => this.#onSignal(signal));
    this.ended = this.#run();
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#cut.resolve();
    await this.ended;
  }

  async #run(): Promise<BridgeEnd> {
    const cut = this.#cut.promise;
    const nobody = (): undefined => undefined;
    const over = Promise.race([this.#client.ended, cut]).then(nobody);
    const server = await Promise.race([this.#agreed.promise, over]);
    const part = (end: ProxyEnd | undefined): Promise<void> => this.#client.close(farewell(end));
    const end = server
      ? await join(this.#client, server, { maxLengths: MAX_LENGTHS, cut, part })
      : await this.#giveUp();
    const { reason = "", closeCode } = farewell(end);
    return { side: end?.side ?? "bridge", reason: redactUrls(reason), closeCode, error: this.#error };
  }

  /** Before there was a connection. */
  async #giveUp(): Promise<ProxyEnd | undefined> {
    const isCut = this.#client.isOpen;
    this.#withdraw();
    await this.#client.close(farewell(undefined));
    await Promise.all(this.#leftovers);
    return isCut ? undefined : { side: "client", tooLong: false, end: await this.#client.ended };
  }

  #onSignal(signal: PortSignal): void {
    // It has crossed with the goodbye; nothing is agreed on any more.
    if (this.#isClosing) return;
    const attempt = this.#attempt;
    const isCurrent = attempt?.number === signal.attempt;
    if (signal.type === "hello" && !attempt && !this.#isAgreed) {
      this.#attempt = { number: signal.attempt, controller: new AbortController() };
      void this.#dial(this.#attempt);
    } else if (signal.type === "withdrawn") {
      // It may have crossed with a refusal.
      if (isCurrent) this.#withdraw();
    } else if (signal.type === "accepted" && isCurrent && attempt.server) {
      this.#attempt = undefined;
      this.#isAgreed = true;
      this.#client.establish();
      this.#agreed.resolve(attempt.server);
    } else throw outOfPlace(signal.type);
  }

  async #dial(attempt: Attempt): Promise<void> {
    const { number, controller } = attempt;
    const { signal } = controller;
    this.#error = undefined;
    this.#client.watch(true);
    try {
      const dialling = (async () => this.#transport.connect({ signal }))();
      // Whatever the transport makes of the signal.
      const server = await untilAborted(dialling, signal, closed);
      attempt.server = server;
      if (signal.aborted) this.#leftovers.push(closed(server));
      else this.#client.say({ type: "opened", attempt: number });
    } catch (error) {
      if (signal.aborted) return;
      this.#attempt = undefined;
      this.#error = dialError(error);
      this.#client.say(refusalOf(number, this.#error));
      this.#client.watch(false);
    }
  }

  /** Nobody wishes for the connection any more. The client may wish for another. */
  #withdraw(): void {
    const attempt = this.#attempt;
    if (!attempt) return;
    this.#attempt = undefined;
    this.#client.watch(false);
    attempt.controller.abort();
    if (attempt.server) this.#leftovers.push(closed(attempt.server));
  }
}

function dialError(error: unknown): ExecServerError {
  if (error instanceof ExecServerError) return error;
  return new ConnectError("Could not connect to the exec-server", { phase: "dial", cause: error });
}

/** What the client is told, undefined standing for a call of `close()`. */
function farewell(how: ProxyEnd | undefined): ConnectionEnd {
  if (!how) return { reason: "the bridge was closed" };
  if (how.tooLong) return { reason: `the ${how.side}'s message is too long` };
  return { ...how.end, reason: how.end.reason ?? "the exec-server's connection ended" };
}
