import type { RunResult } from "../errors.ts";
import type { RemoteFileSystem } from "../filesystem/remote-filesystem.ts";
import type { RemoteFetch } from "../http/fetch.ts";
import type { StartOptions } from "../process/options.ts";
import type { ExecProcess } from "../process/process.ts";
import type { RunOptions } from "../process/run.ts";
import type { EnvironmentStatus, WireEnvironmentInfo } from "../protocol/environment.ts";
import type { MethodName, ParamsOf, ResultOf, UnknownMethod } from "../protocol/methods.ts";
import { toNativePath } from "../protocol/path-uri.ts";

/** Limits the wait for one request. */
export interface RequestOptions {
  /** Ends the wait with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds until the wait for the answer ends with a TimeoutError `ERR_TIMEOUT`; connecting has deadlines of its
   * own. @default none
   */
  readonly timeoutMs?: number | undefined;
}

/**
 * What the server tells about its machine. Paths are native strings of that machine. Members that this version does
 * not know are kept; an older server leaves some out.
 * @interface
 */
export type EnvironmentInfo = WireEnvironmentInfo;

/**
 * An environment to run commands in: either client. The lazy one connects when it has to; the concrete one works as
 * long as its connection lives.
 */
export interface ExecEnvironment {
  /**
   * Starts a process.
   *
   * @throws ServerError when the server can't start it: `kind` is `"not-found"` for a missing program or directory.
   * @throws UsageError `ERR_INVALID_ARGUMENT` for an empty argv, a relative `cwd` or a `processId` in use.
   */
  start(argv: readonly string[], options?: StartOptions): Promise<ExecProcess>;
  /**
   * Runs a command to its end, its output as bytes. `signal` and `timeoutMs` cover the whole run: they terminate the
   * process, wait for its end for at most two seconds and then reject.
   *
   * @throws ProcessExitError for a non-zero exit code, unless `reject` is false.
   * @throws OverflowError when stdout or stderr passes `maxBufferedBytes`; the process is terminated.
   * @throws TimeoutError `ERR_TIMEOUT` past `timeoutMs`, with what the command had printed.
   */
  run(
    argv: readonly string[],
    options: RunOptions & { readonly encoding: "bytes" },
  ): Promise<RunResult<Uint8Array<ArrayBuffer>>>;
  /** Runs a command to its end, its output as text; throws as above. */
  run(
    argv: readonly string[],
    options?: RunOptions & { readonly encoding?: "utf8" | undefined },
  ): Promise<RunResult>;
  /** The server's machine: system, shell, directories, capabilities. */
  info(options?: RequestOptions): Promise<EnvironmentInfo>;
  /** Whether the server takes requests: `{ status: "ready" }`. */
  status(options?: RequestOptions): Promise<EnvironmentStatus>;
  /** The files of the server's machine. */
  readonly fs: RemoteFileSystem;
  /**
   * A standard `fetch` whose requests are made by the server's machine; it can be passed on as a custom `fetch`.
   *
   * What the protocol can't do: an abort ends only the wait, not the request; a request body is sent whole; `url` is
   * the one asked for, also after redirects; the body comes as the origin encoded it. With `redirect: "error"` a
   * redirect rejects with a TypeError, as in the standard; a request the server could not make, with a ServerError.
   */
  readonly fetch: RemoteFetch;
  /**
   * Any request of the protocol, for what has no method of its own. Params and result are as on the wire: paths are
   * `file:` URIs, bytes base64. Results of methods this version knows are checked.
   *
   * @throws ServerError with kind `"unsupported"` for a method the server does not have.
   */
  call<M extends MethodName>(method: M, params: ParamsOf<M>, options?: RequestOptions): Promise<ResultOf<M>>;
  /** The same for a method this version does not know: its result is not checked. */
  call<M extends string>(
    method: UnknownMethod<M>,
    params?: unknown,
    options?: RequestOptions,
  ): Promise<unknown>;
}

/** Turns the wire's path URIs into native paths. */
export function environmentInfo(info: WireEnvironmentInfo): EnvironmentInfo {
  const native: EnvironmentInfo = { ...info };
  for (const name of ["cwd", "userHomeDir", "tempDir"] as const) {
    const uri = native[name];
    if (uri != null) native[name] = toNativePath(uri);
  }
  for (const name of ["prependPathDirs", "temporaryDirectories"] as const) {
    const uris = native[name];
    if (uris != null) native[name] = uris.map(toNativePath);
  }
  return native;
}
