import type { RunResult } from "../errors/process.ts";
import type { RemoteFileSystem } from "../filesystem/remote-filesystem.ts";
import type { RemoteFetch } from "../http/fetch.ts";
import { anAbortSignal, milliseconds, type Rules } from "../internal/option-rules.ts";
import type { StartOptions } from "../process/options.ts";
import type { ExecProcess } from "../process/process.ts";
import type { RunBytesOptions, RunTextOptions } from "../process/run.ts";
import type { WireEnvironmentInfo } from "../protocol/environment.ts";
import type { MethodName, ParamsOf, ResultOf, UnknownMethod } from "../protocol/methods.ts";
import { toNativePath } from "../protocol/path-uri.ts";
import type { TcpTarget } from "../tcp/options.ts";
import type { RemoteSocket } from "../tcp/socket.ts";

/** Limits how long one request is awaited. */
export interface RequestOptions {
  /** Ends the wait with the signal's reason. @default none */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds until the wait for the response ends with a TimeoutError `ERR_TIMEOUT`. Connecting is not included: it
   * has the deadlines of the client. @default none
   */
  readonly timeoutMs?: number | undefined;
}

export const REQUEST_RULES: Rules<RequestOptions> = { signal: anAbortSignal, timeoutMs: milliseconds };

/** The shell of the server's user. Members that this version does not know are kept. */
export interface EnvironmentShell {
  /** For example `"bash"`. */
  name: string;
  /** Its native path. */
  path: string;
  [member: string]: unknown;
}

/**
 * The server's description of its machine. Paths are native strings of that machine. Members that this version does not
 * know are kept. An older server omits some members.
 */
export interface EnvironmentInfo {
  /** The shell of the server's user. */
  shell?: EnvironmentShell | null | undefined;
  /** The server's version. */
  executorVersion?: string | null | undefined;
  /** The provider of the machine, if the server reports it. */
  providerId?: string | null | undefined;
  /** The server's working directory: the default one of a process. */
  cwd?: string | null | undefined;
  /** The home directory of the server's user. */
  userHomeDir?: string | null | undefined;
  /** `"linux"`, `"macos"`, `"windows"` or another. */
  platformOs?: string | null | undefined;
  /** Directories that are searched before those of `PATH`. */
  prependPathDirs?: string[] | null | undefined;
  /** Directories for temporary files. */
  temporaryDirectories?: string[] | null | undefined;
  /** The directory for temporary files. */
  tempDir?: string | null | undefined;
  /** Optional features of the server, each by name. */
  capabilities?: Record<string, unknown> | null | undefined;
  [member: string]: unknown;
}

/** Whether the server accepts requests. Members that this version does not know are kept. */
export interface EnvironmentStatus {
  /** `"ready"` if the server accepts requests. */
  status: string;
  [member: string]: unknown;
}

/**
 * An environment to run commands in, implemented by both clients. The lazy client connects when an operation needs a
 * connection. The concrete client works until its connection ends.
 *
 * @example
 * import type { ExecEnvironment } from "exec-server-sdk";
 *
 * async function branchOf(environment: ExecEnvironment, cwd: string): Promise<string> {
 *   const { stdout } = await environment.run(["git", "branch", "--show-current"], { cwd });
 *   return stdout.trim();
 * }
 */
export interface ExecEnvironment {
  /**
   * Starts a process.
   *
   * @throws ServerError if the server can't start it: `kind` is `"not-found"` for a missing program or directory, and
   * `missing` says which of the two.
   * @throws UsageError `ERR_INVALID_ARGUMENT` for an empty argv, an unknown option, a relative `cwd` or a `processId` in
   * use; `ERR_UNSUPPORTED` for what Node or execa have and the protocol has not.
   * @throws DisconnectedError, ClosedError, or, of a lazy client, what {@link ExecServerClient.connect} throws.
   * @example
   * const build = await client.start(["sh", "-c", "echo compiling; echo done >&2"], { cwd: "/work" });
   * const text = new TextDecoder();
   * for await (const { stream, chunk } of build) console.log(stream, text.decode(chunk));
   * const { exitCode } = await build.closed;
   */
  start(argv: readonly string[], options?: StartOptions): Promise<ExecProcess>;
  /**
   * Runs a command until it exits, and collects its output as bytes. `signal` and `timeoutMs` cover the whole run: they
   * terminate the process, wait at most two seconds for its exit, and then reject.
   *
   * @throws ProcessExitError for a non-zero exit code, unless `reject` is false.
   * @throws OverflowError if stdout or stderr exceeds `maxBufferedBytes`; the process is terminated.
   * @throws TimeoutError `ERR_TIMEOUT` after `timeoutMs`, with the output so far.
   * @throws what {@link start} throws.
   * @example
   * const { stdout } = await client.run(["tar", "-c", "."], { cwd: "/src", encoding: "bytes" });
   * console.log(stdout.byteLength);
   */
  run(argv: readonly string[], options: RunBytesOptions): Promise<RunResult<Uint8Array<ArrayBuffer>>>;
  /**
   * Runs a command until it exits, and collects its output as text: UTF-8, untrimmed. `signal` and `timeoutMs` cover the
   * whole run, as in the overload for bytes.
   *
   * @throws ProcessExitError for a non-zero exit code, unless `reject` is false.
   * @throws OverflowError if stdout or stderr exceeds `maxBufferedBytes`; the process is terminated.
   * @throws TimeoutError `ERR_TIMEOUT` after `timeoutMs`, with the output so far.
   * @throws what {@link start} throws.
   * @example
   * const { stdout } = await client.run(["uname", "-a"]);
   * const sorted = await client.run(["sort"], { input: "b\na\n" });
   * const { exitCode, stderr } = await client.run(["ls", "/missing"], { reject: false, timeoutMs: 10_000 });
   */
  run(argv: readonly string[], options?: RunTextOptions): Promise<RunResult>;
  /**
   * Makes a TCP connection from the server's machine, for example to a server that only listens there. Resolves when it
   * is established. Requires a POSIX server with perl, python3, node, socat, bash or OpenBSD's nc; the first of them that
   * runs there is used.
   *
   * @throws ServerError with kind `"refused"`, `"unreachable"`, `"timed-out"`, or `"not-found"` for an unknown host.
   * @throws UsageError `ERR_UNSUPPORTED` where there is none of these programs.
   * @example
   * const socket = await client.connectTcp({ port: 6379 });
   * const writer = socket.writable.getWriter();
   * await writer.write(new TextEncoder().encode("PING\r\n"));
   * const { value } = await socket.readable.getReader().read(); // the bytes of "+PONG\r\n"
   * await socket.close();
   */
  connectTcp(target: TcpTarget): Promise<RemoteSocket>;
  /**
   * Describes the server's machine: system, shell, directories, capabilities.
   *
   * @throws TimeoutError `ERR_TIMEOUT` after `timeoutMs`; DisconnectedError, ClosedError, or, of a lazy client, what
   * {@link ExecServerClient.connect} throws.
   * @example
   * const { platformOs, shell, cwd } = await client.info();
   * console.log(platformOs, shell?.name, cwd); // linux bash /work
   */
  info(options?: RequestOptions): Promise<EnvironmentInfo>;
  /**
   * Whether the server accepts requests: `{ status: "ready" }`.
   *
   * @throws UsageError `ERR_UNSUPPORTED` by a server before 0.145.
   * @throws TimeoutError `ERR_TIMEOUT` after `timeoutMs`; DisconnectedError, ClosedError, or, of a lazy client, what
   * {@link ExecServerClient.connect} throws.
   * @example
   * const { status } = await client.status({ timeoutMs: 2_000 });
   */
  status(options?: RequestOptions): Promise<EnvironmentStatus>;
  /**
   * The files of the server's machine.
   *
   * @example
   * await client.fs.mkdir("/work/notes", { recursive: true });
   * await client.fs.writeFile("/work/notes/today.md", "# Today");
   * const names = await client.fs.readdir("/work/notes");
   */
  readonly fs: RemoteFileSystem;
  /**
   * A standard `fetch` whose requests are made by the server's machine. It can be passed as a custom `fetch`.
   *
   * Limits of the protocol: an abort ends only the wait, not the request. A request body is sent whole. `url` is the
   * requested one, also after redirects. A compressed body is decoded by the server (gzip, from 0.171 on) or here, by the
   * formats of the runtime's `DecompressionStream`; otherwise it stays compressed and has its `content-encoding`.
   *
   * A server without `--concurrent-requests` works on one request of a connection at a time: an origin that does not
   * answer holds up everything behind it, also after an abort. `timeoutMs` ends the request on the server, too. See
   * `fetchConnection` of {@link LazyExecServerClient} for a connection that holds up nothing else.
   *
   * With `redirect: "error"` a redirect rejects with a TypeError, as in the standard. A request that the server could
   * not make rejects with a ServerError. {@link RemoteFetch} lists the other errors.
   *
   * @example
   * const response = await client.fetch("http://localhost:3000/health", { timeoutMs: 5_000 });
   * console.log(response.status, await response.json());
   */
  readonly fetch: RemoteFetch;
  /**
   * Sends any request of the protocol, also one that has no method here. Params and result are as on the wire: paths are
   * `file:` URIs, bytes are base64. Results of methods that this version knows are checked.
   *
   * @throws ServerError with kind `"unsupported"` for a method that the server does not have.
   * @throws ProtocolError for a result of another shape.
   * @throws UsageError `ERR_INVALID_ARGUMENT` for `initialize`, which the client sends when it connects.
   * @example
   * const { entries } = await client.call("fs/readDirectory", { path: "file:///work", sandbox: null });
   * console.log(entries.map(({ fileName }) => fileName));
   */
  call<M extends MethodName>(method: M, params: ParamsOf<M>, options?: RequestOptions): Promise<ResultOf<M>>;
  /**
   * Sends a request whose method this version does not know. Its result is not checked.
   *
   * @throws ServerError with kind `"unsupported"` for a method that the server does not have.
   * @example
   * const result = await client.call("model/list", {}, { timeoutMs: 5_000 });
   */
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
