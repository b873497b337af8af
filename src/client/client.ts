import { ClosedError, type DisconnectedError, type RunResult } from "../errors.ts";
import { asyncDispose } from "../internal/dispose.ts";
import type { StartOptions } from "../process/options.ts";
import type { ExecProcess } from "../process/process.ts";
import { Processes, type ProcessHost } from "../process/processes.ts";
import { ProcessRouter } from "../process/router.ts";
import { type RunOptions, run } from "../process/run.ts";
import type { EnvironmentStatus } from "../protocol/environment.ts";
import type { ResultOf } from "../protocol/methods.ts";
import { RpcPeer } from "../rpc/peer.ts";
import {
  type EnvironmentInfo,
  type ExecEnvironment,
  environmentInfo,
  type RequestOptions,
} from "./environment.ts";
import { dial, initialize } from "./handshake.ts";
import { type ClientOptions, completeOptions } from "./options.ts";

/**
 * One connection and one session. When the connection ends it stays ended: everything on it fails once with the same
 * error, and new calls fail at once without being sent. {@link LazyExecServerClient} makes the next one.
 */
export class ExecServerClient implements ExecEnvironment, AsyncDisposable {
  /** The server's name for this session; a new connection always gets a new one. */
  readonly sessionId: string;
  readonly #rpc: RpcPeer;
  readonly #processes: Processes;

  private constructor(rpc: RpcPeer, processes: Processes, sessionId: string) {
    this.#rpc = rpc;
    this.#processes = processes;
    this.sessionId = sessionId;
  }

  /**
   * Connects now and makes a new session.
   *
   * @throws ConnectError, TimeoutError (`ERR_CONNECT_TIMEOUT`, `ERR_INITIALIZE_TIMEOUT`), ServerError when the server
   * refuses the handshake, ProtocolError when the other side is no exec-server, or the signal's reason.
   */
  static async connect(
    options: ClientOptions & { readonly signal?: AbortSignal | undefined },
  ): Promise<ExecServerClient> {
    const complete = completeOptions(options);
    const { signal } = options;
    signal?.throwIfAborted();
    const router = new ProcessRouter();
    const rpc = new RpcPeer(await dial(complete, signal), {
      onNotification: (method, params) => router.accept(method, params),
      onEnd: (failure) => router.failAll(failure),
    });
    const session = await initialize(rpc, complete, signal);
    return new ExecServerClient(rpc, new Processes(rpc, hostOf(session), router), session.sessionId);
  }

  /** True as soon as nothing can be sent any more, and for good. */
  get isDisconnected(): boolean {
    return this.#rpc.isDisconnected;
  }

  /** Resolves when the connection is over, with the error that everything on it got. Never rejects. */
  get disconnected(): Promise<DisconnectedError | ClosedError> {
    return this.#rpc.ended;
  }

  start(argv: readonly string[], options?: StartOptions): Promise<ExecProcess> {
    return this.#processes.start(argv, options);
  }

  run(
    argv: readonly string[],
    options: RunOptions & { readonly encoding: "bytes" },
  ): Promise<RunResult<Uint8Array>>;
  run(
    argv: readonly string[],
    options?: RunOptions & { readonly encoding?: "utf8" | undefined },
  ): Promise<RunResult>;
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult<string | Uint8Array>> {
    return run((...command) => this.start(...command), argv, options);
  }

  async info(options?: RequestOptions): Promise<EnvironmentInfo> {
    return environmentInfo(await this.#rpc.call("environment/info", null, options));
  }

  status(options?: RequestOptions): Promise<EnvironmentStatus> {
    return this.#rpc.call("environment/status", null, options);
  }

  /**
   * Ends the connection: everything on it fails with a ClosedError. Settles within two seconds even if the server
   * does not answer. Processes are not terminated; the server does that 30 s after a WebSocket session has lost its
   * connection.
   */
  close(): Promise<void> {
    return this.#rpc.close(new ClosedError({ sessionId: this.sessionId }));
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }
}

function hostOf({ sessionId, environmentInfo: info }: ResultOf<"initialize">): ProcessHost {
  return {
    sessionId,
    cwd: info?.cwd ?? undefined,
    isPosix: info?.platformOs != null && info.platformOs !== "windows",
  };
}
