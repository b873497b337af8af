import type { Bytes } from "../internal/bytes.ts";
import type { FileBytes, FilePieces } from "../internal/contents.ts";
import type { RemoteDirent, RemoteStats, WalkResult } from "./entries.ts";
import type {
  CopyOptions,
  FileEncoding,
  FileOptions,
  ReaddirOptions,
  ReadFileOptions,
  ReadStreamOptions,
  RealpathOptions,
  RecursiveOptions,
  RmOptions,
  WalkOptions,
  WatchOptions,
  WriteFileOptions,
  WriteStreamOptions,
} from "./options.ts";

/**
 * An absolute path: a native string of the server's machine, or a `file:` URL.
 * @inline
 */
type RemotePath = string | URL;

/**
 * The files of the server's machine. A method does what `node:fs/promises` does, or refuses. Paths are absolute: native
 * strings of that machine (`/tmp/a b`, `C:\x`) or `file:` URLs. Results are native.
 *
 * All methods throw UsageError `ERR_INVALID_ARGUMENT` for a relative path, a URL with an encoded separator or an unknown
 * option, and `ERR_UNSUPPORTED` for an option of Node's that can't be had, before anything is sent. They throw ServerError
 * with `kind` `"not-found"`, `"already-exists"`, `"not-a-file"`, `"not-a-directory"`, `"not-empty"` or
 * `"permission-denied"` where the server reports it. Errors have the `operation` and the `path`.
 *
 * At most 128 files are open at once on a connection; a further one waits. When no open file has been read or written for
 * 3 seconds, that wait ends with an OverflowError: streams that are not read to their end must be cancelled.
 *
 * The server can't rename, append, chmod, make links or watch files.
 */
export interface RemoteFileSystem {
  /** Reads a whole file of any size as UTF-8 text. More than 1 MiB, or an unknown size, is read in blocks. */
  readFile(
    path: RemotePath,
    options: FileEncoding | (ReadFileOptions & { readonly encoding: FileEncoding }),
  ): Promise<string>;
  /** Reads a whole file of any size as bytes. More than 1 MiB, or an unknown size, is read in blocks. */
  readFile(
    path: RemotePath,
    options?: (ReadFileOptions & { readonly encoding?: null | undefined }) | null,
  ): Promise<Bytes>;
  /**
   * Creates or replaces a file. More than 1 MiB, or a Blob, a stream or an async iterable, is written in blocks: the file
   * is emptied before the first one, so the write is not atomic. When the write fails or is aborted, `bytesWritten` of the
   * error is the number of bytes written, and a stream is cancelled.
   */
  writeFile(
    path: RemotePath,
    data: FileBytes | Blob | FilePieces,
    options?: FileEncoding | WriteFileOptions | null,
  ): Promise<void>;
  /** Makes a directory. With `recursive`, also its parents, and an existing directory is no error. */
  mkdir(path: RemotePath, options?: RecursiveOptions): Promise<void>;
  /** Removes a file, a link (not its target), or with `recursive` a directory and everything in it. */
  rm(path: RemotePath, options?: RmOptions): Promise<void>;
  /**
   * Copies a file or link, or with `recursive` a directory. Links stay as they are. Special files are skipped. Parents of
   * the destination must exist.
   * @throws UsageError `ERR_INVALID_ARGUMENT` for a copy onto itself, also through links.
   * @throws UsageError `ERR_UNSUPPORTED` where the destination is a link, or has one where the source has an entry.
   */
  cp(source: RemotePath, destination: RemotePath, options?: CopyOptions): Promise<void>;
  /** Returns the path with every link resolved. */
  realpath(path: RemotePath, options?: FileEncoding | RealpathOptions | null): Promise<string>;
  /** Returns whether a path exists. False for a link without a target, for links in a circle, and for a name that is too long. */
  exists(path: RemotePath, options?: FileOptions): Promise<boolean>;
  /** Returns the metadata of a path. For a link, of its target. */
  stat(path: RemotePath, options?: FileOptions): Promise<RemoteStats>;
  /**
   * Returns the names in a directory, in no particular order. The server leaves out links without a target. With
   * `recursive`, links to directories are followed, as in Node: `walk()` does not follow them.
   */
  readdir(
    path: RemotePath,
    options?: FileEncoding | (ReaddirOptions & { readonly withFileTypes?: false | undefined }) | null,
  ): Promise<string[]>;
  /**
   * Returns the entries of a directory with their types, in no particular order. Each link costs a request. With
   * `recursive`, links to directories are not followed.
   */
  readdir(
    path: RemotePath,
    options: ReaddirOptions & { readonly withFileTypes: true },
  ): Promise<RemoteDirent[]>;
  /** Lists everything below a directory, within limits, in one request. Leaves out names with line ends or tabs. */
  walk(path: RemotePath, options?: WalkOptions): Promise<WalkResult>;
  /**
   * Reads a file on demand, up to 4 blocks of 1 MiB ahead. Opens it with the first read, and closes it when its last block
   * has arrived, when the stream is cancelled, or when a forgotten stream is collected as garbage.
   */
  createReadStream(path: RemotePath, options?: ReadStreamOptions): ReadableStream<Bytes>;
  /** Writes a file with backpressure. Opens it, and so empties it, with the first write or the close. */
  createWriteStream(path: RemotePath, options?: WriteStreamOptions): WritableStream<Uint8Array>;
  /**
   * Resolves when one of these paths exists.
   * @throws ServerError when a path can never exist, for example below a file.
   * @throws ServerError with kind `"unsupported"` on a server that can't watch.
   */
  whenAppears(paths: readonly RemotePath[], options?: WatchOptions): Promise<void>;
}
