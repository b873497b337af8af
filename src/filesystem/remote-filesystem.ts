import type { Bytes } from "../internal/bytes.ts";
import type { RemoteDirent, RemoteStats, WalkResult } from "./entries.ts";
import type {
  FileEncoding,
  FileOptions,
  ReadFileOptions,
  ReadStreamOptions,
  RecursiveOptions,
  RmOptions,
  TransferOptions,
  WalkOptions,
  WriteFileOptions,
} from "./options.ts";

/**
 * Absolute: a native string of the server's machine, or a `file:` URL.
 * @inline
 */
type RemotePath = string | URL;
/** @inline */
type FileData = string | ArrayBufferView | ArrayBuffer;

/**
 * The files of the server's machine, like `node:fs/promises` where the protocol allows. Paths are absolute: native
 * strings of that machine (`/tmp/a b`, `C:\x`) or `file:` URLs; results are native.
 *
 * All methods throw UsageError `ERR_INVALID_ARGUMENT` for a relative path before anything is sent, and ServerError with
 * `kind` `"not-found"`, `"already-exists"`, `"not-a-file"`, `"not-a-directory"`, `"not-empty"` or
 * `"permission-denied"` where the server tells. The server can't rename, append, chmod, make links or watch files.
 */
export interface RemoteFileSystem {
  /** Reads a whole file as UTF-8 text; large ones in blocks, so that the size does not matter. */
  readFile(
    path: RemotePath,
    options: FileEncoding | (ReadFileOptions & { readonly encoding: FileEncoding }),
  ): Promise<string>;
  /** Reads a whole file as bytes; large ones in blocks, so that the size does not matter. */
  readFile(
    path: RemotePath,
    options?: ReadFileOptions & { readonly encoding?: null | undefined },
  ): Promise<Bytes>;
  /**
   * Creates or replaces a file. More than 1 MiB goes in blocks: the file is emptied first, so the write is not atomic,
   * and when it fails or is aborted the error's `bytesWritten` tells how much had arrived.
   */
  writeFile(path: RemotePath, data: FileData, options?: FileEncoding | WriteFileOptions): Promise<void>;
  /** Makes a directory; with `recursive`, its parents too, and one that exists is no error. */
  mkdir(path: RemotePath, options?: RecursiveOptions): Promise<void>;
  /** Removes a file, a link (not its target), or with `recursive` a directory and everything in it. */
  rm(path: RemotePath, options?: RmOptions): Promise<void>;
  /** Copies a file or link, or with `recursive` a directory. Links stay links; special files are skipped. */
  cp(source: RemotePath, destination: RemotePath, options?: RecursiveOptions): Promise<void>;
  /** The path with every link resolved. */
  realpath(path: RemotePath, options?: FileOptions): Promise<string>;
  /** Whether there is something at a path. A link that leads nowhere does not count. */
  exists(path: RemotePath, options?: FileOptions): Promise<boolean>;
  /** What a path is; a link counts as what it leads to. */
  stat(path: RemotePath, options?: FileOptions): Promise<RemoteStats>;
  /** The names in a directory, in no particular order. Links that lead nowhere are left out by the server. */
  readdir(
    path: RemotePath,
    options?: FileOptions & { readonly withFileTypes?: false | undefined },
  ): Promise<string[]>;
  /** The entries of a directory with what they are, in no particular order. */
  readdir(path: RemotePath, options: FileOptions & { readonly withFileTypes: true }): Promise<RemoteDirent[]>;
  /** Everything below a directory in one request, within limits. */
  walk(path: RemotePath, options?: WalkOptions): Promise<WalkResult>;
  /** Reads a file as it is asked for, a few blocks of 1 MiB ahead. Opens it with the first read. */
  createReadStream(path: RemotePath, options?: ReadStreamOptions): ReadableStream<Bytes>;
  /** Writes a file as it comes, with backpressure. Opens it, and so empties it, with the first write. */
  createWriteStream(path: RemotePath, options?: TransferOptions): WritableStream<Uint8Array>;
  /**
   * Resolves when one of these paths, none of which exists yet, has appeared.
   * @throws ServerError with kind `"unsupported"` on a server that can't watch.
   */
  whenAppears(
    paths: readonly RemotePath[],
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<void>;
}
