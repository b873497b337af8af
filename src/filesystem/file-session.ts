import { ServerError } from "../errors/server.ts";
import { isAbortReason } from "../internal/abort.ts";
import type { Bytes } from "../internal/bytes.ts";
import type { ServerFeatures } from "../protocol/features.ts";
import type { PathParams, WireMetadata } from "../protocol/filesystem.ts";
import type { SandboxContext } from "../protocol/sandbox.ts";
import type { RpcPeer } from "../rpc/peer.ts";
import type { FileHandles } from "./handles.ts";
import type { PathWatcher } from "./path-watcher.ts";

/** What a script is given beside its arguments. */
export interface ScriptOptions {
  /** Variables. Unlike arguments, other users of the machine can't read them. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Written to standard input, which never ends. */
  readonly input?: Uint8Array | undefined;
  readonly sandbox: SandboxContext | null;
  /** Terminates the script. */
  readonly signal?: AbortSignal | undefined;
}

/** A script that runs. */
export interface ShellProcess {
  readonly stdout: ReadableStream<Bytes>;
  readonly stderr: ReadableStream<Bytes>;
  readonly closed: Promise<{ readonly exitCode: number }>;
  write(data: string): Promise<void>;
}

/** The server's POSIX shell. Without one, both reject with UsageError `ERR_UNSUPPORTED`. */
export interface Shell {
  /** Runs a script to its end. */
  run(
    script: string,
    args: readonly string[],
    options: ScriptOptions,
  ): Promise<{ readonly exitCode: number; readonly stdout: Bytes; readonly stderr: Bytes }>;
  /** Starts a script whose output is read as it comes, and whose input is written meanwhile. */
  start(script: string, args: readonly string[], options: ScriptOptions): Promise<ShellProcess>;
}

/** What the file operations use of a connection. */
export interface FileSession {
  readonly rpc: RpcPeer;
  readonly files: FileHandles;
  readonly watcher: PathWatcher;
  readonly shell: Shell;
  readonly server: ServerFeatures;
}

/** Whether the server rejected a request. An abort reason can be a ServerError too, but says nothing of the request. */
export function isRefusal(error: unknown, signal: AbortSignal | undefined): error is ServerError {
  return error instanceof ServerError && !isAbortReason(error, signal);
}

/** Errors of paths that can't exist: a name that is too long, or links in a circle. */
const CANNOT_EXIST = /name too long|symbolic link loop|levels of symbolic links|os error (123|206|1921)\)/i;

/** The metadata of a path; undefined if nothing can be reached there. */
export async function lookUp(
  { rpc }: FileSession,
  path: PathParams,
  signal: AbortSignal | undefined,
): Promise<WireMetadata | undefined> {
  try {
    return await rpc.call("fs/getMetadata", path, { signal });
  } catch (error) {
    if (!isRefusal(error, signal)) throw error;
    const { kind, message } = error;
    if (kind === "not-found" || kind === "not-a-directory" || CANNOT_EXIST.test(message)) return undefined;
    throw error;
  }
}
