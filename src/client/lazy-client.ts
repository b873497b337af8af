import type { Awaitable } from "../internal/awaitable.ts";
import {
  aFunction,
  anAbortSignal,
  checkArgument,
  checkOptions,
  type Rules,
} from "../internal/option-rules.ts";
import { featureRule, type ServerFeature } from "../protocol/features.ts";
import type { ConnectionFailure } from "../rpc/errors.ts";
import type { ExecServerClient } from "./client.ts";
import {
  type ClientState,
  ConnectionStatus,
  type StateChange,
  Timeline,
  type TimelineEntry,
} from "./connection-status.ts";
import type { ExecEnvironment } from "./environment.ts";
import { EnvironmentClient } from "./environment-client.ts";
import { LazyConnection } from "./lazy-connection.ts";
import {
  type GetOptions,
  type LazyClientOptions,
  type ResolvedLazyOptions,
  resolveLazyOptions,
} from "./options.ts";
import type { Session } from "./session.ts";

const GET_RULES: Rules<GetOptions> = { signal: anAbortSignal };

/**
 * Caches one client, and connects it on first use.
 *
 * - Nothing connects before the first use, and nothing reconnects in the background.
 * - While the client is connected, every caller gets it.
 * - After it has disconnected, the next use makes **one** new connection with a new session. Concurrent callers share
 *   that attempt. Nothing is resumed or replayed: everything pending on the old connection rejects.
 * - A failed attempt rejects for all its callers, and is not cached.
 * - A one-shot transport (stdio) is never started again: every caller gets the disconnected client, whose calls reject.
 *
 * With `fetchConnection: "own"`, `fetch` has a second connection under the same rules.
 *
 * @example
 * import { LazyExecServerClient, webSocket } from "exec-server-sdk";
 *
 * const lazy = new LazyExecServerClient({ transport: webSocket("ws://127.0.0.1:8080"), keepAlive: true });
 * const { stdout } = await lazy.run(["uname", "-a"]); // connects
 * await lazy.fs.writeFile("/work/uname.txt", stdout); // on the same connection
 * await lazy.close();
 */
export class LazyExecServerClient extends EnvironmentClient implements ExecEnvironment {
  readonly #options: ResolvedLazyOptions;
  readonly #timeline = new Timeline();
  readonly #status = new ConnectionStatus(this.#timeline);
  readonly #connection: LazyConnection;
  /** Made by the first `fetch` that does not share the connection. */
  #fetchConnection: LazyConnection | undefined;
  #closing: Promise<void> | undefined;

  /**
   * Makes a client that connects nothing yet.
   *
   * @throws UsageError `ERR_INVALID_ARGUMENT` without a transport, or for an option that is unknown or of the wrong kind.
   */
  constructor(options: LazyClientOptions) {
    super();
    this.#options = resolveLazyOptions(options);
    this.#connection = new LazyConnection(this.#options, this.#status);
  }

  /**
   * The connected client: at once if there is one, else after one attempt, which concurrent callers share.
   *
   * `signal` ends only this caller's wait, with the signal's reason. An attempt that no caller waits for is abandoned.
   *
   * @throws what {@link ExecServerClient.connect} throws; ClosedError after `close()`.
   * @example
   * const session = await client.get({ signal: AbortSignal.timeout(5_000) });
   * console.log(session.sessionId, session.serverVersion);
   */
  get(options?: GetOptions): Promise<ExecServerClient> {
    try {
      checkOptions("get()", options, GET_RULES);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#connection.get(options?.signal);
  }

  /**
   * Whether the server has a feature, as {@link ExecServerClient.supports}. Connects first.
   *
   * @throws UsageError `ERR_INVALID_ARGUMENT` for an unknown feature; what {@link get} throws.
   * @example
   * if (!(await client.supports("writeStreams"))) console.log("Files above 11 MiB can't be written");
   */
  async supports(feature: ServerFeature): Promise<boolean> {
    checkArgument("supports(): feature", feature, featureRule);
    const { server } = await this.openSession();
    await server.learn();
    return server.has(feature);
  }

  /**
   * The state of the client. Reading it never connects. That of a second connection for `fetch` is in `timeline`.
   *
   * @example
   * if (client.state === "disconnected") console.log("The next call connects anew");
   */
  get state(): ClientState {
    return this.#connection.state;
  }

  /**
   * Calls the listener on each later change of `state`. Returns a function that removes it. Its errors are ignored.
   *
   * @throws UsageError `ERR_INVALID_ARGUMENT` for a listener that is not a function.
   * @example
   * const stop = client.onStateChange(({ previous, state, sessionId, error }) => {
   *   console.log(`${previous} → ${state}`, sessionId, error?.code);
   * });
   * await client.get();
   * stop();
   */
  onStateChange(listener: (change: StateChange) => void): () => void {
    checkArgument("onStateChange(): listener", listener, aFunction);
    return this.#status.onChange(listener);
  }

  /**
   * The newest 100 changes of state, oldest first: why it connected, how long that took, and which side ended it.
   *
   * @example
   * for (const { at, state, cause, dialMs, closedBy } of client.timeline)
   *   console.log(new Date(at).toISOString(), state, cause, dialMs, closedBy);
   */
  get timeline(): readonly TimelineEntry[] {
    return this.#timeline.entries;
  }

  /** @internal */
  override openSession(options?: { readonly signal?: AbortSignal | undefined }): Awaitable<Session> {
    return this.#connection.openSession(options?.signal);
  }

  /** @internal */
  override openFetchSession(options?: { readonly signal?: AbortSignal | undefined }): Awaitable<Session> {
    const { fetchConnection, transport } = this.#options;
    const isShared =
      fetchConnection !== "own" || !transport.reconnectable || this.#connection.closed !== undefined;
    if (isShared) return this.openSession(options);
    this.#fetchConnection ??= new LazyConnection(
      this.#options,
      new ConnectionStatus(this.#timeline, "fetch"),
    );
    return this.#fetchConnection.openSession(options?.signal);
  }

  /** @internal */
  override onFinal(listener: (failure: ConnectionFailure) => void): () => void {
    const check = (): void => {
      const { closed } = this.#connection;
      if (closed) listener(closed);
    };
    check();
    return this.#status.onChange(check);
  }

  /**
   * Closes the client for good. Its connections or attempts end, and every pending and later call rejects with a
   * ClosedError. Settles within two seconds even if the server does not answer.
   *
   * @example
   * import { LazyExecServerClient, webSocket } from "exec-server-sdk";
   *
   * const lazy = new LazyExecServerClient({ transport: webSocket("ws://127.0.0.1:8080") });
   * try {
   *   await lazy.run(["true"]);
   * } finally {
   *   await lazy.close();
   * }
   */
  override close(): Promise<void> {
    this.#closing ??= Promise.all([this.#connection.close(), this.#fetchConnection?.close()]).then(() => {});
    return this.#closing;
  }
}
