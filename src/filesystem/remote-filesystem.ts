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
 * An absolute path: a native string of the server's machine, or a `file:` URL.
 * @inline
 */
type RemotePath = string | URL;
/** @inline */
type FileData = string | ArrayBufferView | ArrayBuffer;

/**
 * The files of the server's machine, like `node:fs/promises` where the protocol allows. Paths are absolute: native
 * strings of that machine (`/tmp/a b`, `C:\x`) or `file:` URLs. Results are native.
 *
 * All methods throw UsageError `ERR_INVALID_ARGUMENT` for a relative path before anything is sent, and ServerError with
 * `kind` `"not-found"`, `"already-exists"`, `"not-a-file"`, `"not-a-directory"`, `"not-empty"` or
 * `"permission-denied"` where the server reports it. The server can't rename, append, chmod, make links or watch files.
 */
export interface RemoteFileSystem {
  /** Reads a whole file of any size as UTF-8 text. More than 1 MiB is read in blocks. */
  readFile(
    path: RemotePath,
    options: FileEncoding | (ReadFileOptions & { readonly encoding: FileEncoding }),
  ): Promise<string>;
  /** Reads a whole file of any size as bytes. More than 1 MiB is read in blocks. */
  readFile(
    path: RemotePath,
    options?: ReadFileOptions & { readonly encoding?: null | undefined },
  ): Promise<Bytes>;
  /**
   * Creates or replaces a file. More than 1 MiB is written in blocks: the file is emptied first, so the write is not
   * atomic. When the write fails or is aborted, `bytesWritten` of the error is the number of bytes written.
   */
  writeFile(path: RemotePath, data: FileData, options?: FileEncoding | WriteFileOptions): Promise<void>;
  /** Makes a directory. With `recursive`, also its parents, and an existing directory is no error. */
  mkdir(path: RemotePath, options?: RecursiveOptions): Promise<void>;
  /** Removes a file, a link (not its target), or with `recursive` a directory and everything in it. */
  rm(path: RemotePath, options?: RmOptions): Promise<void>;
  /** Copies a file or link, or with `recursive` a directory. Links stay links. Special files are skipped. */
  cp(source: RemotePath, destination: RemotePath, options?: RecursiveOptions): Promise<void>;
  /** Returns the path with every link resolved. */
  realpath(path: RemotePath, options?: FileOptions): Promise<string>;
  /** Returns whether a path exists. False for a link without a target. */
  exists(path: RemotePath, options?: FileOptions): Promise<boolean>;
  /** Returns the metadata of a path. For a link, of its target. */
  stat(path: RemotePath, options?: FileOptions): Promise<RemoteStats>;
  /** Returns the names in a directory, in no particular order. The server leaves out links without a target. */
  readdir(
    path: RemotePath,
    options?: FileOptions & { readonly withFileTypes?: false | undefined },
  ): Promise<string[]>;
  /** Returns the entries of a directory with their types, in no particular order. */
  readdir(path: RemotePath, options: FileOptions & { readonly withFileTypes: true }): Promise<RemoteDirent[]>;
  /** Lists everything below a directory, within limits: in one request, or with several on servers before `fs/walk`. */
  walk(path: RemotePath, options?: WalkOptions): Promise<WalkResult>;
  /** Reads a file on demand, up to 4 blocks of 1 MiB ahead. Opens it with the first read. */
  createReadStream(path: RemotePath, options?: ReadStreamOptions): ReadableStream<Bytes>;
  /** Writes a file with backpressure. Opens it, and so empties it, with the first write or the close. */
  createWriteStream(path: RemotePath, options?: TransferOptions): WritableStream<Uint8Array>;
  /**
   * Resolves when one of these paths exists.
   * @throws ServerError when a path can never exist, for example below a file.
   * @throws ServerError with kind `"unsupported"` on a server that can't watch.
   */
  whenAppears(
    paths: readonly RemotePath[],
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<void>;
}
