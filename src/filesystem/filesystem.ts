import { invalid, received } from "../internal/arguments.ts";
import { bindMembers } from "../internal/bound.ts";
import { type Bytes, textOf } from "../internal/bytes.ts";
import { contentsOf, type FileBytes, type FilePieces } from "../internal/contents.ts";
import { attribute, inOperation, type Operation } from "../internal/operation.ts";
import { checkOptions, type Rules } from "../internal/option-rules.ts";
import type { PathParams } from "../protocol/filesystem.ts";
import { shownPath, toNativePath, toPathUri } from "../protocol/path-uri.ts";
import { wireSandbox } from "../protocol/sandbox.ts";
import { copy } from "./copy.ts";
import { list } from "./directory.ts";
import { direntOf, type RemoteDirent, type RemoteStats, statsOf, type WalkResult } from "./entries.ts";
import { type FileSession, lookUp } from "./file-session.ts";
import {
  type CopyOptions,
  cpRules,
  type FileEncoding,
  type FileOptions,
  fileRules,
  HINTS,
  mkdirRules,
  type ReaddirOptions,
  type ReadFileOptions,
  type ReadStreamOptions,
  type RealpathOptions,
  type RecursiveOptions,
  type RmOptions,
  readdirRules,
  readFileRules,
  readStreamRules,
  realpathRules,
  rmRules,
  type WalkOptions,
  type WatchOptions,
  type WriteFileOptions,
  type WriteStreamOptions,
  walkRules,
  watchRules,
  withEncoding,
  writeFileRules,
  writeStreamRules,
} from "./options.ts";
import { readFile } from "./read-file.ts";
import type { RemoteFileSystem } from "./remote-filesystem.ts";
import { remove } from "./remove.ts";
import { readStream, writeStream } from "./streams.ts";
import { walk } from "./walk.ts";
import { openForWriting, writeFile } from "./write-file.ts";

type Path = string | URL;

/** An operation after its checks. `connect` opens the one session that it runs on. */
type Work<Options, Result> = (
  connect: () => Promise<FileSession>,
  path: PathParams,
  options: Options,
) => Promise<Result>;

/** The file operations. Each one runs on the session that `connect` returns when it is called. */
export class FileSystem implements RemoteFileSystem {
  readonly #connect: (options: { signal?: AbortSignal | undefined }) => Promise<FileSession>;

  constructor(connect: (options: { signal?: AbortSignal | undefined }) => Promise<FileSession>) {
    this.#connect = connect;
    bindMembers(this, FileSystem);
  }

  readFile(
    path: Path,
    options: FileEncoding | (ReadFileOptions & { readonly encoding: FileEncoding }),
  ): Promise<string>;
  readFile(
    path: Path,
    options?: (ReadFileOptions & { readonly encoding?: null | undefined }) | null,
  ): Promise<Bytes>;
  async readFile(path: Path, options?: FileEncoding | ReadFileOptions | null): Promise<string | Bytes> {
    const work: Work<ReadFileOptions, string | Bytes> = async (connect, file, checked) => {
      const bytes = await readFile(await connect(), file, checked);
      return checked.encoding ? textOf(bytes) : bytes;
    };
    return await this.#run("readFile", path, withEncoding(options), readFileRules, work);
  }

  async writeFile(
    path: Path,
    data: FileBytes | Blob | FilePieces,
    options?: FileEncoding | WriteFileOptions | null,
  ): Promise<void> {
    const work: Work<WriteFileOptions, void> = async (connect, file, checked) => {
      const contents = contentsOf(data);
      await writeFile(await connect(), file, contents, checked);
    };
    await this.#run("writeFile", path, withEncoding(options), writeFileRules, work);
  }

  async mkdir(path: Path, options?: RecursiveOptions): Promise<void> {
    const work: Work<RecursiveOptions, void> = async (connect, directory, { recursive = false, signal }) => {
      const { rpc } = await connect();
      await rpc.call("fs/createDirectory", { ...directory, recursive }, { signal });
    };
    await this.#run("mkdir", path, options, mkdirRules, work);
  }

  async rm(path: Path, options?: RmOptions): Promise<void> {
    await this.#run("rm", path, options, rmRules, async (connect, entry, checked) =>
      remove(await connect(), entry, checked),
    );
  }

  async cp(source: Path, destination: Path, options?: CopyOptions): Promise<void> {
    const work: Work<CopyOptions, void> = async (connect, from, checked) => {
      const to = { ...from, path: toPathUri(destination, "destination") };
      await copy(await connect(), from, to, checked);
    };
    await this.#run("cp", source, options, cpRules, work, destination);
  }

  async realpath(path: Path, options?: FileEncoding | RealpathOptions | null): Promise<string> {
    const work: Work<RealpathOptions, string> = async (connect, entry, { signal }) => {
      const { rpc } = await connect();
      return toNativePath((await rpc.call("fs/canonicalize", entry, { signal })).path);
    };
    return await this.#run("realpath", path, withEncoding(options), realpathRules, work);
  }

  async exists(path: Path, options?: FileOptions): Promise<boolean> {
    return await this.#run("exists", path, options, fileRules, async (connect, entry, { signal }) => {
      return (await lookUp(await connect(), entry, signal)) !== undefined;
    });
  }

  async stat(path: Path, options?: FileOptions): Promise<RemoteStats> {
    return await this.#run("stat", path, options, fileRules, async (connect, entry, { signal }) => {
      const { rpc } = await connect();
      return statsOf(await rpc.call("fs/getMetadata", entry, { signal }));
    });
  }

  readdir(
    path: Path,
    options?: FileEncoding | (ReaddirOptions & { readonly withFileTypes?: false | undefined }) | null,
  ): Promise<string[]>;
  readdir(path: Path, options: ReaddirOptions & { readonly withFileTypes: true }): Promise<RemoteDirent[]>;
  async readdir(
    path: Path,
    options?: FileEncoding | ReaddirOptions | null,
  ): Promise<string[] | RemoteDirent[]> {
    const work: Work<ReaddirOptions, string[] | RemoteDirent[]> = async (connect, directory, checked) => {
      const entries = await list(await connect(), directory, checked);
      return checked.withFileTypes ? entries.map(direntOf) : entries.map(({ relativePath }) => relativePath);
    };
    return await this.#run("readdir", path, withEncoding(options), readdirRules, work);
  }

  async walk(path: Path, options?: WalkOptions): Promise<WalkResult> {
    return await this.#run("walk", path, options, walkRules, async (connect, root, checked) =>
      walk(await connect(), root, checked),
    );
  }

  createReadStream(path: Path, options?: ReadStreamOptions): ReadableStream<Bytes> {
    return this.#stream("createReadStream", path, options, readStreamRules, (params, checked, call) => {
      const open = async (signal: AbortSignal) => {
        const { files } = await this.#connect({ signal });
        return await files.open({ ...params, mode: "read" }, signal);
      };
      return readStream(open, checked, call);
    });
  }

  createWriteStream(path: Path, options?: WriteStreamOptions): WritableStream<Uint8Array> {
    return this.#stream("createWriteStream", path, options, writeStreamRules, (params, checked, call) => {
      const open = async (signal: AbortSignal) =>
        await openForWriting(await this.#connect({ signal }), params, signal);
      return writeStream(open, checked, call);
    });
  }

  async whenAppears(paths: readonly Path[], options?: WatchOptions): Promise<void> {
    const [path, ...others] = Array.isArray(paths) ? paths : [];
    const call = operationOf("whenAppears", others.length === 0 ? path : undefined);
    await inOperation(call, options?.signal, async () => {
      checkOptions("whenAppears()", options, watchRules);
      if (!Array.isArray(paths) || paths.length === 0)
        invalid(`paths must be a non-empty array of paths, got ${received(paths)}`);
      const uris = paths.map((path) => toPathUri(path, "path"));
      const { watcher } = await this.#connect({ signal: options?.signal });
      await watcher.whenAppears(uris, options?.signal);
    });
  }

  /** Checks a call and runs it. Its errors name the operation and the path. */
  async #run<Options extends FileOptions, Result>(
    operation: string,
    path: Path,
    options: Options | undefined,
    rules: Rules<Options>,
    work: Work<Options, Result>,
    destination?: Path,
  ): Promise<Result> {
    const call = { ...operationOf(operation, path), destination: shownPath(destination) };
    return await inOperation(call, options?.signal, async () => {
      const checked = checkedPath(operation, path, options, rules);
      const { signal } = options ?? {};
      return await work(() => this.#connect({ signal }), checked, options ?? ({} as Options));
    });
  }

  /** The same for a stream, which is made at once. */
  #stream<Options extends FileOptions, Stream>(
    operation: string,
    path: Path,
    options: Options | undefined,
    rules: Rules<Options>,
    make: (path: PathParams, options: Options, call: Operation) => Stream,
  ): Stream {
    const call = operationOf(operation, path);
    try {
      return make(checkedPath(operation, path, options, rules), options ?? ({} as Options), call);
    } catch (error) {
      attribute(error, call);
      throw error;
    }
  }
}

const operationOf = (operation: string, path: unknown): Operation => ({ operation, path: shownPath(path) });

/** Throws a UsageError for an invalid option or path. */
function checkedPath<Options extends FileOptions>(
  operation: string,
  path: Path,
  options: Options | undefined,
  rules: Rules<Options>,
): PathParams {
  checkOptions(`${operation}()`, options, rules, HINTS);
  return { path: toPathUri(path, "path"), sandbox: wireSandbox(options?.sandbox) };
}
