import { ClosedError, ExecServerError, type RunResult } from "../errors.ts";
import { FileSystem } from "../filesystem/filesystem.ts";
import type { RemoteFileSystem } from "../filesystem/remote-filesystem.ts";
import { createFetch, type RemoteFetch } from "../http/fetch.ts";
import { asyncDispose } from "../internal/dispose.ts";
import { Listeners } from "../internal/listeners.ts";
import { SingleFlight } from "../internal/single-flight.ts";
import type { StartOptions } from "../process/options.ts";
import type { ExecProcess } from "../process/process.ts";
import { type RunOptions, run } from "../process/run.ts";
import type { EnvironmentStatus } from "../protocol/environment.ts";
import type { MethodName, ParamsOf, ResultOf, UnknownMethod } from "../protocol/methods.ts";
import { ExecServerClient, sessionOf } from "./client.ts";
import { Timeline, type TimelineEntry } from "./connection-status.ts";
import type { EnvironmentInfo, ExecEnvironment, RequestOptions } from "./environment.ts";
import { type ClientOptions, type ResolvedClientOptions, resolveOptions } from "./options.ts";
import type { ClientState, StateChange } from "./state.ts";

/**
 * Keeps one live client, and makes it when it is first needed.
 *
 * - Nothing connects before the first use, and nothing connects in the background.
 * - While a client lives, everyone gets that one.
 * - When it has disconnected, the next use makes **one** brand-new connection with a brand-new session, shared by all
 *   who ask meanwhile. No resume, no replay: what hung on the old connection has failed, and the caller decides.
 * - A failed attempt fails for all who waited, and is forgotten.
 * - A one-shot transport (stdio) is not started a second time: everyone gets its dead client, whose calls fail.
 */
export class LazyExecServerClient implements ExecEnvironment, AsyncDisposable {
  readonly #options: ResolvedClientOptions;
  /** The mutex: at most one attempt runs, and whoever comes meanwhile shares it. */
  readonly #connecting = new SingleFlight<ExecServerClient>((error) => this.#fallBack(error));
  readonly #listeners = new Listeners<StateChange>();
  readonly #timeline = new Timeline();
  #client: ExecServerClient | undefined;
  /** The answer for everyone while the client lives, made once. */
  #ready: Promise<ExecServerClient> | undefined;
  #closed: ClosedError | undefined;
  #closing: Promise<void> | undefined;
  #state: ClientState = "idle";

  readonly fs: RemoteFileSystem;
  readonly fetch: RemoteFetch;

  /** @throws UsageError `ERR_INVALID_ARGUMENT` without a transport or with a deadline that is no positive number. */
  constructor(options: ClientOptions) {
    this.#options = resolveOptions(options);
    const session = async (waiting: { signal?: AbortSignal | undefined }) =>
      sessionOf(await this.get(waiting));
    this.fs = new FileSystem(session);
    this.fetch = createFetch(session);
  }

  /**
   * The live client: at once if there is one, else after the one attempt that everybody shares.
   *
   * `signal` ends this caller's wait only, with the signal's reason; an attempt that nobody waits for is abandoned.
   * @throws whatever {@link ExecServerClient.connect} throws; ClosedError after `close()`.
   */
  get(options?: { readonly signal?: AbortSignal | undefined }): Promise<ExecServerClient> {
    const signal = options?.signal;
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#closed) return Promise.reject(this.#closed);
    if (this.#ready && this.#isUsable) return this.#ready;
    return this.#connecting.join((abandoned) => this.#connect(abandoned), signal);
  }

  /** Where things stand. Looking never connects. */
  get state(): ClientState {
    return this.#state === "connected" && this.#client?.isDisconnected ? "disconnected" : this.#state;
  }

  /** Tells every later change of state. Returns what ends it. Errors thrown by the listener are ignored. */
  onStateChange(listener: (change: StateChange) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** The newest 100 changes of state, oldest first: what was dialled and why, how long it took, who ended it. */
  get timeline(): readonly TimelineEntry[] {
    return this.#timeline.entries;
  }

  start(argv: readonly string[], options?: StartOptions): Promise<ExecProcess> {
    return this.get(options).then((client) => client.start(argv, options));
  }

  run(
    argv: readonly string[],
    options: RunOptions & { readonly encoding: "bytes" },
  ): Promise<RunResult<Uint8Array<ArrayBuffer>>>;
  run(
    argv: readonly string[],
    options?: RunOptions & { readonly encoding?: "utf8" | undefined },
  ): Promise<RunResult>;
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult<string | Uint8Array<ArrayBuffer>>> {
    return run((...command) => this.start(...command), argv, options);
  }

  info(options?: RequestOptions): Promise<EnvironmentInfo> {
    return this.get(options).then((client) => client.info(options));
  }

  status(options?: RequestOptions): Promise<EnvironmentStatus> {
    return this.get(options).then((client) => client.status(options));
  }

  call<M extends MethodName>(method: M, params: ParamsOf<M>, options?: RequestOptions): Promise<ResultOf<M>>;
  call<M extends string>(
    method: UnknownMethod<M>,
    params?: unknown,
    options?: RequestOptions,
  ): Promise<unknown>;
  call(method: string, params?: unknown, options?: RequestOptions): Promise<unknown> {
    return this.get(options).then((client) => client.call(method, params, options));
  }

  /**
   * Final: ends the connection or the attempt; whoever waits, and every later call, gets a ClosedError. Settles within
   * two seconds even if the server does not answer.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Closes it, at the end of an `await using` block. */
  [asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Whether there is a client to hand out: a live one, or the one and only. */
  get #isUsable(): boolean {
    const client = this.#client;
    return client !== undefined && !(client.isDisconnected && this.#options.transport.reconnectable);
  }

  async #connect(abandoned: AbortSignal): Promise<ExecServerClient> {
    // A loss that was noticed by asking, before its end was told: what hangs on it shall not hang for long.
    if (this.#client) {
      void sessionOf(this.#client).rpc.lost();
      this.#setState("disconnected", { client: this.#client });
    }
    this.#setState("connecting");
    const client = await ExecServerClient.connect({ ...this.#options, signal: abandoned });
    if (abandoned.aborted) void client.close();
    abandoned.throwIfAborted();
    this.#adopt(client);
    // Whoever was told of it may have closed everything.
    if (this.#closed) throw this.#closed;
    return client;
  }

  /** The state without an attempt. */
  #fallBack(error: unknown): void {
    if (!this.#client) this.#setState("idle", { error });
    else if (this.#client.isDisconnected) this.#setState("disconnected", { error });
  }

  #adopt(client: ExecServerClient): void {
    this.#client = client;
    this.#ready = Promise.resolve(client);
    this.#setState("connected", { client });
    void client.disconnected.then((error) => {
      const isCurrent = this.#client === client && this.#state === "connected";
      if (isCurrent) this.#setState("disconnected", { client, error });
      else this.#timeline.complete(sessionOf(client), error);
    });
  }

  async #close(): Promise<void> {
    this.#closed = new ClosedError({ sessionId: this.#client?.sessionId, delivery: "not-sent" });
    this.#setState("closed", { client: this.#client });
    this.#connecting.abort(this.#closed);
    await this.#client?.close();
  }

  #setState(
    state: ClientState,
    about: { client?: ExecServerClient | undefined; error?: unknown } = {},
  ): void {
    const { client, error } = about;
    const previous = this.#state;
    if (state === previous || previous === "closed") return;
    this.#state = state;
    const change: StateChange = {
      state,
      previous,
      ...(client ? { sessionId: client.sessionId } : {}),
      ...(error instanceof ExecServerError ? { error } : {}),
    };
    this.#timeline.add(change, client && sessionOf(client));
    this.#listeners.emit(change);
  }
}
