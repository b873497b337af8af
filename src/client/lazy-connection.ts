import { ClosedError } from "../errors/connection.ts";
import type { Awaitable } from "../internal/awaitable.ts";
import { markShared } from "../internal/operation.ts";
import { SingleFlight } from "../internal/single-flight.ts";
import { ExecServerClient } from "./client.ts";
import { connect } from "./connect.ts";
import type { ClientState, ConnectionStatus } from "./connection-status.ts";
import type { ResolvedClientOptions } from "./options.ts";
import type { Session } from "./session.ts";

/** A session, and the client on it as the one promise that every caller gets. */
interface Connected {
  readonly session: Session;
  readonly client: Promise<ExecServerClient>;
}

/**
 * One connection that is made on first use and replaced when it is lost: the rules of {@link LazyExecServerClient.get}.
 *
 * - Nothing connects before the first use, and nothing reconnects in the background.
 * - While the connection is open, every caller gets its client.
 * - After it has ended, the next use makes **one** new connection with a new session. Concurrent callers share that
 *   attempt. Nothing is resumed or replayed: everything pending on the old connection rejects.
 * - A failed attempt rejects for all its callers, and is not cached.
 * - A one-shot transport (stdio) is never started again: every caller gets the disconnected client, whose calls reject.
 */
export class LazyConnection {
  readonly #options: ResolvedClientOptions;
  readonly #status: ConnectionStatus;
  /** The mutex: at most one attempt runs at a time. Concurrent callers share it. */
  readonly #attempts = new SingleFlight<ExecServerClient>((error) => this.#onAttemptFailed(error));
  /** The latest connection, which may have ended. */
  #latest: Connected | undefined;
  #closed: ClosedError | undefined;

  constructor(options: ResolvedClientOptions, status: ConnectionStatus) {
    this.#options = options;
    this.#status = status;
  }

  get(signal: AbortSignal | undefined): Promise<ExecServerClient> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#closed) return Promise.reject(this.#closed);
    return this.#usable?.client ?? this.#attempts.join((abandoned) => this.#connect(abandoned), signal);
  }

  /** The session of the client that `get` resolves with: in this turn, if it is connected. */
  openSession(signal: AbortSignal | undefined): Awaitable<Session> {
    const isFinal = this.#closed !== undefined || signal?.aborted === true;
    const usable = isFinal ? undefined : this.#usable;
    return usable?.session ?? this.get(signal).then((client) => client.openSession());
  }

  get state(): ClientState {
    const { state } = this.#status;
    return state === "connected" && this.#latest?.session.rpc.isDisconnected ? "disconnected" : state;
  }

  /** The error of every call after `close`; undefined before. */
  get closed(): ClosedError | undefined {
    return this.#closed;
  }

  /** Final. The connection or the attempt ends. Settles within two seconds. Called once. */
  async close(): Promise<void> {
    const { session } = this.#latest ?? {};
    this.#closed = new ClosedError({ sessionId: session?.id, delivery: "not-sent" });
    markShared(this.#closed);
    this.#status.change("closed", session);
    this.#attempts.abort(this.#closed);
    await session?.close();
  }

  /** The latest connection, unless it has ended and can be replaced. */
  get #usable(): Connected | undefined {
    const isReplaceable = this.#options.transport.reconnectable && this.#latest?.session.rpc.isDisconnected;
    return isReplaceable ? undefined : this.#latest;
  }

  async #connect(abandoned: AbortSignal): Promise<ExecServerClient> {
    const previous = this.#latest?.session;
    if (previous) {
      // The socket is closed but its close event may not have arrived. Force the end so that pending calls settle.
      void previous.rpc.forceEnd();
      this.#status.change("disconnected", previous, previous.rpc.failure);
    }
    this.#status.change("connecting");
    const session = await connect(this.#options, abandoned, this.#status.purpose);
    // Abandoned or closed after the handshake, before this turn.
    if (abandoned.aborted) {
      void session.close();
      throw abandoned.reason;
    }
    const client = this.#adopt(session);
    // A listener may have closed the client.
    if (this.#closed) throw this.#closed;
    return client;
  }

  #adopt(session: Session): ExecServerClient {
    const client = ExecServerClient.of(session);
    this.#latest = { session, client: Promise.resolve(client) };
    this.#status.change("connected", session);
    void session.rpc.ended.then((error) => {
      const isCurrent = this.#latest?.session === session && this.#status.state === "connected";
      if (isCurrent) this.#status.change("disconnected", session, error);
      else this.#status.completeLoss(session, error);
    });
    return client;
  }

  /** Goes back to the state from before the attempt, unless a listener abandoned it after it had connected. */
  #onAttemptFailed(error: unknown): void {
    markShared(error);
    const { session } = this.#latest ?? {};
    if (!session) this.#status.change("idle", undefined, error);
    else if (session.rpc.isDisconnected) this.#status.change("disconnected", undefined, error);
  }
}
