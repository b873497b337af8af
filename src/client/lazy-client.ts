import { ClosedError } from "../errors.ts";
import { invalid, received } from "../internal/arguments.ts";
import type { Awaitable } from "../internal/awaitable.ts";
import { markShared } from "../internal/operation.ts";
import { anAbortSignal, checkOptions, type Rules } from "../internal/option-rules.ts";
import { SingleFlight } from "../internal/single-flight.ts";
import { ExecServerClient } from "./client.ts";
import { connect } from "./connect.ts";
import {
  type ClientState,
  ConnectionStatus,
  type StateChange,
  type TimelineEntry,
} from "./connection-status.ts";
import { EnvironmentClient } from "./environment-client.ts";
import { type ClientOptions, type ResolvedClientOptions, resolveLazyOptions } from "./options.ts";
import type { Session } from "./session.ts";

interface GetOptions {
  readonly signal?: AbortSignal | undefined;
}

const GET_RULES: Rules<GetOptions> = { signal: anAbortSignal };

/** A session, and the client on it as the one promise that every caller gets. */
interface Connected {
  readonly session: Session;
  readonly client: Promise<ExecServerClient>;
}

/**
 * Caches one client, and connects it on first use.
 *
 * - Nothing connects before the first use, and nothing reconnects in the background.
 * - While the client is connected, every caller gets it.
 * - After it has disconnected, the next use makes **one** new connection with a new session. Concurrent callers share
 *   that attempt. Nothing is resumed or replayed: everything pending on the old connection has rejected.
 * - A failed attempt rejects for all its callers, and is not cached.
 * - A one-shot transport (stdio) is never started again: every caller gets the disconnected client, whose calls reject.
 */
export class LazyExecServerClient extends EnvironmentClient {
  readonly #options: ResolvedClientOptions;
  readonly #status = new ConnectionStatus();
  /** The mutex: at most one attempt runs at a time, and its callers share it. */
  readonly #attempts = new SingleFlight<ExecServerClient>((error) => this.#onAttemptFailed(error));
  /** The latest connection, which may have ended. */
  #latest: Connected | undefined;
  #closed: ClosedError | undefined;
  #closing: Promise<void> | undefined;

  /** @throws UsageError `ERR_INVALID_ARGUMENT` without a transport, or for a deadline that is not a positive number. */
  constructor(options: ClientOptions) {
    super();
    this.#options = resolveLazyOptions(options);
  }

  /**
   * The connected client: at once if there is one, else after one attempt, which concurrent callers share.
   *
   * `signal` ends only this caller's wait, with the signal's reason. An attempt that no caller waits for is abandoned.
   * @throws what {@link ExecServerClient.connect} throws; ClosedError after `close()`.
   */
  get(options?: { readonly signal?: AbortSignal | undefined }): Promise<ExecServerClient> {
    try {
      checkOptions<GetOptions>("get()", options, GET_RULES);
    } catch (error) {
      return Promise.reject(error);
    }
    const signal = options?.signal;
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#closed) return Promise.reject(this.#closed);
    return this.#usable?.client ?? this.#attempts.join((abandoned) => this.#connect(abandoned), signal);
  }

  /** The state of the client. Reading it never connects. */
  get state(): ClientState {
    const { state } = this.#status;
    return state === "connected" && this.#latest?.session.rpc.isDisconnected ? "disconnected" : state;
  }

  /**
   * Calls the listener on each later change of `state`. Returns a function that removes it. Its errors are ignored.
   *
   * @throws UsageError `ERR_INVALID_ARGUMENT` for a listener that is not a function.
   */
  onStateChange(listener: (change: StateChange) => void): () => void {
    if (typeof listener !== "function") {
      invalid(`onStateChange(): listener must be a function, got ${received(listener)}`);
    }
    return this.#status.onChange(listener);
  }

  /** The newest 100 changes of state, oldest first: why it connected, how long that took, and which side ended it. */
  get timeline(): readonly TimelineEntry[] {
    return this.#status.timeline;
  }

  /** @internal */
  override openSession(options?: { readonly signal?: AbortSignal | undefined }): Awaitable<Session> {
    const isFinal = this.#closed !== undefined || options?.signal?.aborted === true;
    const usable = isFinal ? undefined : this.#usable;
    return usable?.session ?? this.get({ signal: options?.signal }).then((client) => client.openSession());
  }

  /**
   * Closes the client for good. The connection or the attempt ends, and every pending and later call rejects with a
   * ClosedError. Settles within two seconds even if the server does not answer.
   */
  override close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** The latest connection, unless it has ended and can be replaced. */
  get #usable(): Connected | undefined {
    const isReplaceable = this.#options.transport.reconnectable && this.#latest?.session.rpc.isDisconnected;
    return isReplaceable ? undefined : this.#latest;
  }

  async #connect(abandoned: AbortSignal): Promise<ExecServerClient> {
    const lost = this.#latest?.session;
    if (lost) {
      // The socket is closed but its close event may not have arrived. Force the end so that pending calls settle.
      void lost.rpc.lost();
      this.#status.change("disconnected", lost);
    }
    this.#status.change("connecting");
    const session = await connect(this.#options, abandoned);
    if (abandoned.aborted) void session.close();
    abandoned.throwIfAborted();
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

  /** Goes back to the state from before the attempt. */
  #onAttemptFailed(error: unknown): void {
    markShared(error);
    const { session } = this.#latest ?? {};
    if (!session) this.#status.change("idle", undefined, error);
    else if (session.rpc.isDisconnected) this.#status.change("disconnected", undefined, error);
  }

  async #close(): Promise<void> {
    const { session } = this.#latest ?? {};
    this.#closed = new ClosedError({ sessionId: session?.id, delivery: "not-sent" });
    markShared(this.#closed);
    this.#status.change("closed", session);
    this.#attempts.abort(this.#closed);
    await session?.close();
  }
}
