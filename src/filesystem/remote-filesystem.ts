import type { FileBytes, FilePieces } from "../internal/contents.ts";
import type { RemoteDirent, RemoteStats, WalkResult } from "./entries.ts";
import type {
  AppendFileOptions,
  CopyOptions,
  FileEncoding,
  FileOptions,
  LinkType,
  ReaddirNamesOptions,
  ReaddirTypesOptions,
  ReadFileBytesOptions,
  ReadFileTextOptions,
  ReadStreamOptions,
  RealpathOptions,
  RecursiveOptions,
  RmOptions,
  SymlinkOptions,
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
 * The protocol can't rename, append, change modes or make links. On a POSIX server those methods start its shell once, in
 * the sandbox of the call; elsewhere they throw UsageError `ERR_UNSUPPORTED`, which names what is missing.
 *
 * @example
 * const { fs } = client;
 * await fs.mkdir("/work/notes", { recursive: true });
 * await fs.writeFile("/work/notes/today.md", "# Today\n");
 * for (const entry of await fs.readdir("/work/notes", { withFileTypes: true }))
 *   if (entry.isFile()) console.log(entry.name, await fs.readFile(`${entry.parentPath}/${entry.name}`, "utf8"));
 */
export interface RemoteFileSystem {
  /**
   * Reads a whole file of any size as UTF-8 text. More than 1 MiB, or an unknown size, is read in blocks.
   *
   * @throws UsageError `ERR_TOO_LARGE` for a text that is longer than the runtime allows: 512 MiB in Node.
   * @example
   * const manifest = await client.fs.readFile("/work/package.json", "utf8");
   */
  readFile(path: RemotePath, options: FileEncoding | ReadFileTextOptions): Promise<string>;
  /**
   * Reads a whole file of any size as bytes. More than 1 MiB, or an unknown size, is read in blocks.
   *
   * @example
   * const bytes = await client.fs.readFile("/var/log/huge.log", {
   *   onProgress: ({ bytes, total }) => console.log(bytes, total),
   * });
   */
  readFile(path: RemotePath, options?: ReadFileBytesOptions | null): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Creates or replaces a file. More than 1 MiB, or a Blob, a stream or an async iterable, is written in blocks: the file
   * is emptied before the first one, so the write is not atomic; with the flag "wx", creating it is. When the write fails
   * or is aborted, `bytesWritten` of the error is the number of bytes written, and a stream is cancelled.
   *
   * @throws ServerError with kind `"already-exists"` for anything that exists, with the flag "wx".
   * @example
   * await client.fs.writeFile("/work/config.json", JSON.stringify({ port: 3000 }));
   * await client.fs.writeFile("/work/deploy.sh", "#!/bin/sh\n", { mode: 0o755, flag: "w" });
   * await client.fs.writeFile("/work/large.bin", new Blob(["…"]).stream());
   */
  writeFile(
    path: RemotePath,
    data: FileBytes | Blob | FilePieces,
    options?: FileEncoding | WriteFileOptions | null,
  ): Promise<void>;
  /**
   * Appends to a file, which is created if it is missing. 4 MiB and more are appended in several pieces, between which
   * other writers may write. When that fails, `bytesWritten` of the error is the number of bytes appended before the piece
   * that failed. Requires a POSIX server.
   *
   * @example
   * await client.fs.appendFile("/work/build.log", "finished\n");
   */
  appendFile(
    path: RemotePath,
    data: FileBytes | Blob | FilePieces,
    options?: FileEncoding | AppendFileOptions | null,
  ): Promise<void>;
  /**
   * Renames within one file system: replaces a file, a link or an empty directory at the new path, in one step. Another
   * file system rejects with a ServerError: use `cp()` and `rm()`. Requires a POSIX server.
   *
   * @example
   * await client.fs.writeFile("/work/state.new", "{}");
   * await client.fs.rename("/work/state.new", "/work/state.json"); // readers see the old or the new one
   */
  rename(oldPath: RemotePath, newPath: RemotePath, options?: FileOptions): Promise<void>;
  /**
   * Changes the mode of a file or directory, of a link's target: a number, or octal digits. Requires a POSIX server.
   *
   * @example
   * await client.fs.writeFile("/work/run.sh", "#!/bin/sh\n");
   * await client.fs.chmod("/work/run.sh", 0o755);
   */
  chmod(path: RemotePath, mode: number | string, options?: FileOptions): Promise<void>;
  /**
   * Makes a link with this target, which is stored as it is and need not exist. Requires a POSIX server.
   *
   * @throws ServerError with kind `"already-exists"` for anything that exists at the path.
   * @example
   * await client.fs.symlink("releases/42", "/work/current");
   * console.log(await client.fs.readlink("/work/current")); // releases/42
   */
  symlink(target: string | URL, path: RemotePath, options?: LinkType | SymlinkOptions | null): Promise<void>;
  /**
   * Returns the target of a link, as it is stored. Requires a POSIX server.
   *
   * @example
   * await client.fs.symlink("package.json", "/work/manifest");
   * const target = await client.fs.readlink("/work/manifest"); // package.json
   */
  readlink(path: RemotePath, options?: FileEncoding | RealpathOptions | null): Promise<string>;
  /**
   * Returns the metadata of a path itself, also of a link. For a link it requires a POSIX server.
   *
   * @example
   * const { size } = await client.fs.lstat("/work/package.json");
   */
  lstat(path: RemotePath, options?: FileOptions): Promise<RemoteStats>;
  /**
   * Makes a new directory that only its owner can enter, and returns its path: the prefix and six random characters.
   * Requires a POSIX server.
   *
   * @example
   * const directory = await client.fs.mkdtemp("/tmp/build-"); // such as /tmp/build-x1Y2z3
   * await client.fs.rm(directory, { recursive: true });
   */
  mkdtemp(prefix: RemotePath, options?: FileEncoding | RealpathOptions | null): Promise<string>;
  /**
   * Makes a directory. With `recursive`, also its parents, and an existing directory is no error.
   *
   * @throws ServerError with kind `"already-exists"` for anything that exists, without `recursive`.
   * @example
   * await client.fs.mkdir("/work/out/assets", { recursive: true });
   */
  mkdir(path: RemotePath, options?: RecursiveOptions): Promise<void>;
  /**
   * Removes a file, a link (not its target), or with `recursive` a directory and everything in it.
   *
   * @throws ServerError with kind `"not-empty"` for a directory with entries, without `recursive`; with kind `"not-found"`
   * without `force`.
   * @example
   * await client.fs.rm("/work/dist", { recursive: true, force: true });
   */
  rm(path: RemotePath, options?: RmOptions): Promise<void>;
  /**
   * Copies a file or link, or with `recursive` a directory. Links stay as they are. Special files are skipped. Parents of
   * the destination must exist.
   *
   * @throws UsageError `ERR_INVALID_ARGUMENT` for a copy onto itself, also through links.
   * @throws UsageError `ERR_UNSUPPORTED` where the destination is a link, or has one where the source has an entry.
   * @example
   * await client.fs.cp("/src", "/work/copy", { recursive: true });
   */
  cp(source: RemotePath, destination: RemotePath, options?: CopyOptions): Promise<void>;
  /**
   * Returns the path with every link resolved.
   *
   * @example
   * const path = await client.fs.realpath("/work/../work/package.json");
   */
  realpath(path: RemotePath, options?: FileEncoding | RealpathOptions | null): Promise<string>;
  /**
   * Returns whether a path exists. False for a link without a target, for links in a circle, and for a name that is too
   * long.
   *
   * @example
   * if (!(await client.fs.exists("/work/.env"))) await client.fs.writeFile("/work/.env", "");
   */
  exists(path: RemotePath, options?: FileOptions): Promise<boolean>;
  /**
   * Returns the metadata of a path. For a link, of its target, but `isSymbolicLink()` is true.
   *
   * @example
   * const stats = await client.fs.stat("/work/package.json");
   * console.log(stats.isFile(), stats.size, stats.mtime.toISOString());
   */
  stat(path: RemotePath, options?: FileOptions): Promise<RemoteStats>;
  /**
   * Returns the names in a directory, in no particular order. The server leaves out links without a target. With
   * `recursive`, links to directories are followed, as in Node: `walk()` does not follow them.
   *
   * @example
   * const names = (await client.fs.readdir("/work")).sort();
   */
  readdir(path: RemotePath, options?: FileEncoding | ReaddirNamesOptions | null): Promise<string[]>;
  /**
   * Returns the entries of a directory with their types, in no particular order. Each link costs a request. With
   * `recursive`, links to directories are not followed.
   *
   * @example
   * const entries = await client.fs.readdir("/work", { withFileTypes: true });
   * const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
   */
  readdir(path: RemotePath, options: ReaddirTypesOptions): Promise<RemoteDirent[]>;
  /**
   * Lists everything below a directory, within limits, in one request. Leaves out names with line ends or tabs.
   *
   * @throws UsageError `ERR_UNSUPPORTED` by a server before 0.143.
   * @example
   * const { entries, truncated } = await client.fs.walk("/work", { maxDepth: 3, pruneHiddenDirectories: true });
   * const sources = entries.filter(({ kind, path }) => kind === "file" && path.endsWith(".ts"));
   */
  walk(path: RemotePath, options?: WalkOptions): Promise<WalkResult>;
  /**
   * Reads a file on demand, up to 4 blocks of 1 MiB ahead. Opens it with the first read, and closes it when its last block
   * has arrived, when the stream is cancelled, or when a forgotten stream is collected as garbage.
   *
   * @throws UsageError at once for an invalid path or option; the other errors are those of the stream.
   * @example
   * const log = client.fs.createReadStream("/var/log/huge.log", { start: 100, end: 199 });
   * console.log(await new Response(log).text());
   */
  createReadStream(path: RemotePath, options?: ReadStreamOptions): ReadableStream<Uint8Array<ArrayBuffer>>;
  /**
   * Writes a file with backpressure. Opens it, and so empties it, with the first write or the close.
   *
   * @throws UsageError at once for an invalid path or option; the other errors are those of the stream.
   * @example
   * const copy = client.fs.createWriteStream("/backup/huge.log");
   * await client.fs.createReadStream("/var/log/huge.log").pipeTo(copy);
   */
  createWriteStream(path: RemotePath, options?: WriteStreamOptions): WritableStream<Uint8Array>;
  /**
   * Packs a directory with everything in it as a tar archive, made by the server's `tar` while it is read. Cancelling the
   * stream ends `tar`. A file that changes meanwhile is packed as it was read; any other error of `tar` fails the stream at
   * its end. Requires a POSIX server with `tar`.
   *
   * @throws UsageError at once for an invalid path or option; the other errors are those of the stream.
   * @example
   * const archive = client.fs.packDirectory("/src");
   * await archive.pipeThrough(new CompressionStream("gzip")).pipeTo(client.fs.createWriteStream("/backup/src.tgz"));
   */
  packDirectory(path: RemotePath, options?: FileOptions): ReadableStream<Uint8Array<ArrayBuffer>>;
  /**
   * Unpacks a tar archive into a directory, which is made if it is missing, with the server's `tar`. What exists is replaced
   * file by file. Files get the modes and times of the archive and belong to the server's user. The archive is first written
   * to the directory as a hidden file, so that an archive that arrives in part is not unpacked at all: that takes its size
   * once more. Requires a POSIX server with `tar`.
   *
   * @throws UsageError `ERR_INVALID_ARGUMENT` for an archive that does not end as one.
   * @example
   * await client.fs.unpackDirectory("/work/restored", client.fs.packDirectory("/src"));
   */
  unpackDirectory(path: RemotePath, tar: FileBytes | Blob | FilePieces, options?: FileOptions): Promise<void>;
  /**
   * Resolves when one of these paths exists.
   *
   * @throws ServerError when a path can never exist, for example below a file.
   * @throws UsageError `ERR_UNSUPPORTED` by a server before 0.166; ServerError with kind `"unsupported"` by one that can't
   * watch.
   * @example
   * const ready = client.fs.whenAppears(["/work/ready"], { signal: AbortSignal.timeout(60_000) });
   * await client.fs.writeFile("/work/ready", "");
   * await ready;
   */
  whenAppears(paths: readonly RemotePath[], options?: WatchOptions): Promise<void>;
}
