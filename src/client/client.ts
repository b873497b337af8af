import { ClosedError, type DisconnectedError, type RunResult, UsageError } from "../errors.ts";
import { FileSystem } from "../filesystem/filesystem.ts";
import type { RemoteFileSystem } from "../filesystem/remote-filesystem.ts";
import { createFetch, type RemoteFetch } from "../http/fetch.ts";
import { asyncDispose } from "../internal/dispose.ts";
import type { StartOptions } from "../process/options.ts";
import type { ExecProcess } from "../process/process.ts";
import { type RunOptions, run } from "../process/run.ts";
import type { EnvironmentStatus } from "../protocol/environment.ts";
import {
  type MethodName,
  methods,
  type ParamsOf,
  type ResultOf,
  type UnknownMethod,
} from "../protocol/methods.ts";
import { KeepAlive } from "../rpc/keep-alive.ts";
import { RpcPeer } from "../rpc/peer.ts";
import type { TraceContext } from "../rpc/request-frame.ts";
import { dial, initialize } from "./connect.ts";
import {
  type EnvironmentInfo,
  type ExecEnvironment,
  environmentInfo,
  type RequestOptions,
} from "./environment.ts";
import { type ClientOptions, resolveOptions } from "./options.ts";
import { answerServerRequest } from "./server-requests.ts";
import { Session } from "./session.ts";

/** For the lazy client, whose files and requests work on the session of whichever client lives. */
const sessions = new WeakMap<ExecServerClient, Session>();

export function sessionOf(client: ExecServerClient): Session {
  return sessions.get(client) as Session;
}

/**
 * One connection and one session. When the connection ends it stays ended: everything on it fails once with the same
 * account of it, and new calls fail at once without being sent. {@link LazyExecServerClient} makes the next one.
 */
export class ExecServerClient implements ExecEnvironment, AsyncDisposable {
  /** The server's name for this session; a new connection always gets a new one. */
  readonly sessionId: string;
  readonly fs: RemoteFileSystem;
  readonly fetch: RemoteFetch;
  readonly #session: Session;

  private constructor(session: Session) {
    this.#session = session;
    sessions.set(this, session);
    this.sessionId = session.id;
    const connected = async (): Promise<Session> => session;
    this.fs = new FileSystem(connected);
    this.fetch = createFetch(connected);
  }

  /**
   * Connects now and makes a new session.
   *
   * @throws ConnectError, TimeoutError (`ERR_CONNECT_TIMEOUT`, `ERR_INITIALIZE_TIMEOUT`), ServerError when the server
   * refuses the handshake, ProtocolError when the other side is no exec-server, UsageError for options or an address that
   * can't work, or the signal's reason.
   */
  static async connect(
    options: ClientOptions & { readonly signal?: AbortSignal | undefined },
  ): Promise<ExecServerClient> {
    const complete = resolveOptions(options);
    const { signal } = options;
    signal?.throwIfAborted();
    let session: Session | undefined;
    const endedEarly: Parameters<Session["onEnd"]>[] = [];
    const started = performance.now();
    const connection = await dial(complete, signal);
    const dialled = performance.now();
    const rpc = new RpcPeer(connection, {
      onFrame: (frame) => session?.onFrame(frame) ?? false,
      onNotification: (method, params) => session?.onNotification(method, params),
      onRequest: (method, params) => answerServerRequest(method, params, complete.onNetworkPolicyRequest),
      onEnd: (...end) => void (session ? session.onEnd(...end) : endedEarly.push(end)),
      trace: complete.traceContext && (() => traceOf(complete)),
    });
    const welcome = await initialize(rpc, complete, signal);
    const timings = { dialMs: dialled - started, handshakeMs: performance.now() - dialled };
    session = new Session(rpc, welcome, timings);
    // The end may have come along with the welcome.
    for (const end of endedEarly) session.onEnd(...end);
    if (complete.keepAlive) KeepAlive.watch(rpc, complete.keepAlive);
    return new ExecServerClient(session);
  }

  /** True as soon as nothing can be sent any more, and for good. */
  get isDisconnected(): boolean {
    return this.#session.rpc.isDisconnected;
  }

  /** Resolves when the connection is over, with the error that everything on it got. Never rejects. */
  get disconnected(): Promise<DisconnectedError | ClosedError> {
    return this.#session.rpc.ended;
  }

  start(argv: readonly string[], options?: StartOptions): Promise<ExecProcess> {
    return this.#session.processes.start(argv, options);
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

  async info(options?: RequestOptions): Promise<EnvironmentInfo> {
    return environmentInfo(await this.#session.rpc.call("environment/info", null, options));
  }

  status(options?: RequestOptions): Promise<EnvironmentStatus> {
    return this.#session.rpc.call("environment/status", null, options);
  }

  call<M extends MethodName>(method: M, params: ParamsOf<M>, options?: RequestOptions): Promise<ResultOf<M>>;
  call<M extends string>(
    method: UnknownMethod<M>,
    params?: unknown,
    options?: RequestOptions,
  ): Promise<unknown>;
  call(method: string, params: unknown = {}, options?: RequestOptions): Promise<unknown> {
    if (typeof method !== "string") {
      return Promise.reject(new UsageError("ERR_INVALID_ARGUMENT", "A request needs a method"));
    }
    // It would be refused, but not before it had confused the handshake.
    if (method === "initialize") {
      return Promise.reject(
        new UsageError("ERR_INVALID_ARGUMENT", "A client initializes its session by itself", {
          delivery: "not-sent",
        }),
      );
    }
    const schema = Object.hasOwn(methods, method) ? methods[method as MethodName].result : undefined;
    return this.#session.rpc.request<unknown>(method, params, schema, options);
  }

  /**
   * Ends the connection: everything on it fails with a ClosedError. Settles within two seconds even if the server
   * does not answer. Processes are not terminated; the server does that 30 s after a WebSocket session has lost its
   * connection.
   */
  close(): Promise<void> {
    return this.#session.rpc.close(new ClosedError({ sessionId: this.sessionId }));
  }

  /** Closes it, at the end of an `await using` block. */
  [asyncDispose](): Promise<void> {
    return this.close();
  }
}

function traceOf({ traceContext }: ClientOptions): TraceContext | undefined {
  try {
    const { traceparent, tracestate } = traceContext?.() ?? {};
    // Whatever else a tracer gives along might not be writable as JSON.
    const isContext = typeof traceparent === "string";
    return isContext
      ? { traceparent, tracestate: typeof tracestate === "string" ? tracestate : undefined }
      : undefined;
  } catch {
    // Tracing must not break what it traces.
    return undefined;
  }
}
