import type { RunResult } from "../errors/process.ts";
import { FileSystem } from "../filesystem/filesystem.ts";
import type { RemoteFileSystem } from "../filesystem/remote-filesystem.ts";
import { createFetch, type RemoteFetch } from "../http/fetch.ts";
import { invalid, received } from "../internal/arguments.ts";
import type { Awaitable } from "../internal/awaitable.ts";
import { bindMembers } from "../internal/bound.ts";
import { asyncDispose } from "../internal/dispose.ts";
import { inOperation, type Operation } from "../internal/operation.ts";
import { checkOptions } from "../internal/option-rules.ts";
import {
  checkStart,
  processOperation,
  START_HINTS,
  START_RULES,
  type StartOptions,
} from "../process/options.ts";
import type { ExecProcess } from "../process/process.ts";
import type { StartNeeds } from "../process/processes.ts";
import {
  RUN_HINTS,
  RUN_RULES,
  type RunBytesOptions,
  type RunOptions,
  type RunTextOptions,
  run,
} from "../process/run.ts";
import { encoded } from "../protocol/encoded-bytes.ts";
import {
  type MethodName,
  methods,
  type ParamsOf,
  type ResultOf,
  type UnknownMethod,
} from "../protocol/methods.ts";
import type { ConnectionFailure } from "../rpc/errors.ts";
import { checkTarget, type TcpTarget } from "../tcp/options.ts";
import type { RemoteSocket } from "../tcp/socket.ts";
import {
  type EnvironmentInfo,
  type EnvironmentStatus,
  type ExecEnvironment,
  environmentInfo,
  REQUEST_RULES,
  type RequestOptions,
} from "./environment.ts";
import { Session } from "./session.ts";

/** The operations of both clients. Each runs on the session that `openSession()` returns. */
export abstract class EnvironmentClient implements ExecEnvironment, AsyncDisposable {
  readonly fs: RemoteFileSystem = new FileSystem(async (options) => await this.openSession(options));
  readonly fetch: RemoteFetch = createFetch(
    async (options) => await this.openFetchSession(options),
    (listener) => this.onFinal(listener),
  );

  constructor() {
    bindMembers(this, EnvironmentClient);
  }

  /** @internal The session for one operation. The lazy client connects first. */
  abstract openSession(options?: { readonly signal?: AbortSignal | undefined }): Awaitable<Session>;

  /** @internal The session for one `fetch`. */
  openFetchSession(options?: { readonly signal?: AbortSignal | undefined }): Awaitable<Session> {
    return this.openSession(options);
  }

  /**
   * Calls the listener when no session can be had any more; immediately if that is so. Returns a function that removes it.
   *
   * @internal
   */
  abstract onFinal(listener: (failure: ConnectionFailure) => void): () => void;

  abstract close(): Promise<void>;

  start(argv: readonly string[], options?: StartOptions): Promise<ExecProcess> {
    return inOperation(processOperation("start", argv, options), options?.signal, (operation) => {
      checkStart("start()", argv, options, START_RULES, START_HINTS);
      return this.#start(operation, argv, options);
    });
  }

  run(argv: readonly string[], options: RunBytesOptions): Promise<RunResult<Uint8Array<ArrayBuffer>>>;
  run(argv: readonly string[], options?: RunTextOptions): Promise<RunResult>;
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult<string | Uint8Array<ArrayBuffer>>> {
    return inOperation(processOperation("run", argv, options), options?.signal, (operation) => {
      checkStart("run()", argv, options, RUN_RULES, RUN_HINTS);
      return run((...start) => this.#start(operation, ...start), argv, options);
    });
  }

  connectTcp(target: TcpTarget): Promise<RemoteSocket> {
    return inOperation({ operation: "connectTcp" }, target?.signal, (operation) => {
      checkTarget(target);
      return this.#onSession(operation, target, ({ tcp }) => tcp.connect(target));
    });
  }

  info(options?: RequestOptions): Promise<EnvironmentInfo> {
    return inOperation({ operation: "info" }, options?.signal, async (operation) => {
      checkOptions("info()", options, REQUEST_RULES);
      return environmentInfo(
        await this.#onSession(operation, options, ({ rpc }) => rpc.call("environment/info", null, options)),
      );
    });
  }

  status(options?: RequestOptions): Promise<EnvironmentStatus> {
    return inOperation({ operation: "status" }, options?.signal, (operation) => {
      checkOptions("status()", options, REQUEST_RULES);
      return this.#onSession(operation, options, ({ rpc, server }) => {
        server.need("status", "status()");
        return rpc.call("environment/status", null, options);
      });
    });
  }

  call<M extends MethodName>(method: M, params: ParamsOf<M>, options?: RequestOptions): Promise<ResultOf<M>>;
  call<M extends string>(
    method: UnknownMethod<M>,
    params?: unknown,
    options?: RequestOptions,
  ): Promise<unknown>;
  call(method: string, params: unknown = {}, options?: RequestOptions): Promise<unknown> {
    return inOperation({ operation: "call" }, options?.signal, (operation) =>
      this.#call(operation, method, params, options),
    );
  }

  /**
   * Closes the client at the end of an `await using` block.
   *
   * @example
   * import { LazyExecServerClient, webSocket } from "exec-server-sdk";
   *
   * await using other = new LazyExecServerClient({ transport: webSocket("ws://127.0.0.1:8080") });
   */
  [asyncDispose](): Promise<void> {
    return this.close();
  }

  #start(
    operation: Operation,
    argv: readonly string[],
    options: StartOptions | undefined,
    needs?: StartNeeds,
  ): Promise<ExecProcess> {
    return this.#onSession(operation, options, ({ processes }) => processes.start(argv, options, needs));
  }

  #call(
    operation: Operation,
    method: string,
    params: unknown,
    options: RequestOptions | undefined,
  ): Promise<unknown> {
    checkOptions("call()", options, REQUEST_RULES);
    if (typeof method !== "string" || method === "") {
      return invalid(`method must be a non-empty string, got ${received(method)}`, { delivery: "not-sent" });
    }
    // The server would refuse it, but its answer would look like that of the handshake.
    if (method === "initialize") {
      return invalid("call() can't send initialize: the client sends it when it connects", {
        delivery: "not-sent",
      });
    }
    const schema = Object.hasOwn(methods, method) ? methods[method as MethodName].result : undefined;
    return this.#onSession(operation, options, ({ rpc }) =>
      rpc.request<unknown>(method, params, encoded<unknown>(schema), options),
    );
  }

  /** Sends in the same turn if the session is open. */
  #onSession<T>(
    operation: Operation,
    options: Pick<RequestOptions, "signal"> | undefined,
    work: (session: Session) => Promise<T>,
  ): Promise<T> {
    const workOn = (session: Session): Promise<T> => {
      operation.serverVersion = session.server.version;
      return work(session);
    };
    const session = this.openSession(options);
    return session instanceof Session ? workOn(session) : Promise.resolve(session).then(workOn);
  }
}
