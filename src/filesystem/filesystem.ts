import { invalid, received } from "../internal/arguments.ts";
import { bindMembers } from "../internal/bound.ts";
import { type Bytes, textOf } from "../internal/bytes.ts";
import { contentsOf, type FileBytes, type FilePieces } from "../internal/contents.ts";
import { inOperation } from "../internal/operation.ts";
import { checkArgument, checkOptions } from "../internal/option-rules.ts";
import { checkFileUri, toNativePath, toPathUri } from "../protocol/path-uri.ts";
import { type Connect, FileCalls, operationOf, type Work } from "./calls.ts";
import { copy } from "./copy.ts";
import { list } from "./directory.ts";
import { direntOf, type RemoteDirent, type RemoteStats, statsOf, type WalkResult } from "./entries.ts";
import { lookUp } from "./file-session.ts";
import {
  type AppendFileOptions,
  aMode,
  appendFileRules,
  type CopyOptions,
  cpRules,
  type FileEncoding,
  type FileOptions,
  fileRules,
  type LinkType,
  mkdirRules,
  modeOf,
  type ReaddirNamesOptions,
  type ReaddirOptions,
  type ReaddirTypesOptions,
  type ReadFileBytesOptions,
  type ReadFileOptions,
  type ReadFileTextOptions,
  type ReadStreamOptions,
  type RealpathOptions,
  type RecursiveOptions,
  type RmOptions,
  readdirRules,
  readFileRules,
  readStreamRules,
  realpathRules,
  rmRules,
  type SymlinkOptions,
  symlinkRules,
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
import { archiveContents, packStream, unpack } from "./shell/archive.ts";
import { linkStats, linkTarget, makeLink, readLink } from "./shell/links.ts";
import { temporaryPath } from "./shell/mkdtemp.ts";
import { putFile } from "./shell/put.ts";
import { runFileScript, scriptPath } from "./shell/run-script.ts";
import { readStream, writeStream } from "./streams.ts";
import { walk } from "./walk.ts";
import { openForWriting, writeFile } from "./write-file.ts";

type Path = string | URL;

/** The file operations. Each one runs on the session that `connect` returns when it is called. */
export class FileSystem implements RemoteFileSystem {
  readonly #calls: FileCalls;

  constructor(connect: Connect) {
    this.#calls = new FileCalls(connect);
    bindMembers(this, FileSystem);
  }

  readFile(path: Path, options: FileEncoding | ReadFileTextOptions): Promise<string>;
  readFile(path: Path, options?: ReadFileBytesOptions | null): Promise<Bytes>;
  async readFile(path: Path, options?: FileEncoding | ReadFileOptions | null): Promise<string | Bytes> {
    const work: Work<ReadFileOptions, string | Bytes> = async (connect, file, checked) => {
      const bytes = await readFile(await connect(), file, checked);
      return checked.encoding ? textOf(bytes) : bytes;
    };
    return await this.#calls.run("readFile", path, withEncoding(options), readFileRules, work);
  }

  async writeFile(
    path: Path,
    data: FileBytes | Blob | FilePieces,
    options?: FileEncoding | WriteFileOptions | null,
  ): Promise<void> {
    const work: Work<WriteFileOptions, void> = async (connect, file, checked) => {
      checkFileUri(file.path, "path");
      const contents = contentsOf(data);
      const { flag = "w", mode } = checked;
      const write = flag === "w" && mode == null ? writeFile : putFile;
      await write(await connect(), file, contents, checked);
    };
    await this.#calls.run("writeFile", path, withEncoding(options), writeFileRules, work);
  }

  async appendFile(
    path: Path,
    data: FileBytes | Blob | FilePieces,
    options?: FileEncoding | AppendFileOptions | null,
  ): Promise<void> {
    const work: Work<AppendFileOptions, void> = async (connect, file, checked) => {
      const contents = contentsOf(data);
      await putFile(await connect(), file, contents, { ...checked, flag: "a" });
    };
    await this.#calls.run("appendFile", path, withEncoding(options), appendFileRules, work);
  }

  async mkdir(path: Path, options?: RecursiveOptions): Promise<void> {
    const work: Work<RecursiveOptions, void> = async (connect, directory, { recursive = false, signal }) => {
      const { rpc } = await connect();
      await rpc.call("fs/createDirectory", { ...directory, recursive }, { signal });
    };
    await this.#calls.run("mkdir", path, options, mkdirRules, work);
  }

  async rm(path: Path, options?: RmOptions): Promise<void> {
    await this.#calls.run("rm", path, options, rmRules, async (connect, entry, checked) =>
      remove(await connect(), entry, checked),
    );
  }

  async cp(source: Path, destination: Path, options?: CopyOptions): Promise<void> {
    const work: Work<CopyOptions, void> = async (connect, from, checked) => {
      const to = { ...from, path: toPathUri(destination, "destination") };
      await copy(await connect(), from, to, checked);
    };
    await this.#calls.run("cp", source, options, cpRules, work, destination);
  }

  async rename(oldPath: Path, newPath: Path, options?: FileOptions): Promise<void> {
    const work: Work<FileOptions, void> = async (connect, from, { signal }) => {
      const to = toPathUri(newPath, "newPath");
      const session = await connect();
      await runFileScript(session, ["mv", scriptPath(session, to)], from, { signal });
    };
    await this.#calls.run("rename", oldPath, options, fileRules, work, newPath);
  }

  async chmod(path: Path, mode: number | string, options?: FileOptions): Promise<void> {
    const work: Work<FileOptions, void> = async (connect, entry, { signal }) => {
      checkArgument("mode", mode, aMode);
      // With five digits, GNU's chmod also clears the special bits of a directory.
      const digits = modeOf(mode).toString(8).padStart(5, "0");
      await runFileScript(await connect(), ["chmod", digits], entry, { signal });
    };
    await this.#calls.run("chmod", path, options, fileRules, work);
  }

  async symlink(target: string | URL, path: Path, options?: LinkType | SymlinkOptions | null): Promise<void> {
    const work: Work<SymlinkOptions, void> = async (connect, link, { signal }) => {
      const text = linkTarget(target);
      await makeLink(await connect(), text, link, signal);
    };
    const given = typeof options === "string" ? { type: options } : (options ?? undefined);
    await this.#calls.run("symlink", path, given, symlinkRules, work);
  }

  async readlink(path: Path, options?: FileEncoding | RealpathOptions | null): Promise<string> {
    const work: Work<RealpathOptions, string> = async (connect, link, { signal }) =>
      await readLink(await connect(), link, signal);
    return await this.#calls.run("readlink", path, withEncoding(options), realpathRules, work);
  }

  async lstat(path: Path, options?: FileOptions): Promise<RemoteStats> {
    return await this.#calls.run("lstat", path, options, fileRules, async (connect, entry, { signal }) =>
      linkStats(await connect(), entry, signal),
    );
  }

  async mkdtemp(prefix: Path, options?: FileEncoding | RealpathOptions | null): Promise<string> {
    const work: Work<RealpathOptions, string> = async (connect, directory, { signal }) => {
      await runFileScript(await connect(), ["mkdir"], directory, { signal });
      return toNativePath(directory.path);
    };
    const path = temporaryPath(prefix);
    return await this.#calls.run("mkdtemp", path, withEncoding(options), realpathRules, work);
  }

  async realpath(path: Path, options?: FileEncoding | RealpathOptions | null): Promise<string> {
    const work: Work<RealpathOptions, string> = async (connect, entry, { signal }) => {
      const { rpc } = await connect();
      return toNativePath((await rpc.call("fs/canonicalize", entry, { signal })).path);
    };
    return await this.#calls.run("realpath", path, withEncoding(options), realpathRules, work);
  }

  async exists(path: Path, options?: FileOptions): Promise<boolean> {
    return await this.#calls.run("exists", path, options, fileRules, async (connect, entry, { signal }) => {
      return (await lookUp(await connect(), entry, signal)) !== undefined;
    });
  }

  async stat(path: Path, options?: FileOptions): Promise<RemoteStats> {
    return await this.#calls.run("stat", path, options, fileRules, async (connect, entry, { signal }) => {
      const { rpc } = await connect();
      return statsOf(await rpc.call("fs/getMetadata", entry, { signal }));
    });
  }

  readdir(path: Path, options?: FileEncoding | ReaddirNamesOptions | null): Promise<string[]>;
  readdir(path: Path, options: ReaddirTypesOptions): Promise<RemoteDirent[]>;
  async readdir(
    path: Path,
    options?: FileEncoding | ReaddirOptions | null,
  ): Promise<string[] | RemoteDirent[]> {
    const work: Work<ReaddirOptions, string[] | RemoteDirent[]> = async (connect, directory, checked) => {
      const entries = await list(await connect(), directory, checked);
      return checked.withFileTypes ? entries.map(direntOf) : entries.map(({ relativePath }) => relativePath);
    };
    return await this.#calls.run("readdir", path, withEncoding(options), readdirRules, work);
  }

  async walk(path: Path, options?: WalkOptions): Promise<WalkResult> {
    return await this.#calls.run("walk", path, options, walkRules, async (connect, root, checked) =>
      walk(await connect(), root, checked),
    );
  }

  createReadStream(path: Path, options?: ReadStreamOptions): ReadableStream<Bytes> {
    return this.#calls.stream("createReadStream", path, options, readStreamRules, (params, checked, call) => {
      const open = async (signal: AbortSignal) => {
        const { files, server } = await this.#calls.open(call, signal);
        server.need("readStreams", "createReadStream()");
        return await files.open({ ...params, mode: "read" }, signal);
      };
      return readStream(open, checked, call);
    });
  }

  createWriteStream(path: Path, options?: WriteStreamOptions): WritableStream<Uint8Array> {
    return this.#calls.stream(
      "createWriteStream",
      path,
      options,
      writeStreamRules,
      (params, checked, call) => {
        checkFileUri(params.path, "path");
        const open = async (signal: AbortSignal) =>
          await openForWriting(await this.#calls.open(call, signal), params, signal);
        return writeStream(open, checked, call);
      },
    );
  }

  packDirectory(path: Path, options?: FileOptions): ReadableStream<Bytes> {
    return this.#calls.stream("packDirectory", path, options, fileRules, (params, { signal }, call) =>
      packStream((signal) => this.#calls.open(call, signal), params, signal, call),
    );
  }

  async unpackDirectory(
    path: Path,
    tar: FileBytes | Blob | FilePieces,
    options?: FileOptions,
  ): Promise<void> {
    const work: Work<FileOptions, void> = async (connect, directory, { signal }) => {
      const contents = archiveContents(contentsOf(tar, "tar"));
      await unpack(await connect(), directory, contents, signal);
    };
    await this.#calls.run("unpackDirectory", path, options, fileRules, work);
  }

  async whenAppears(paths: readonly Path[], options?: WatchOptions): Promise<void> {
    const [path, ...others] = Array.isArray(paths) ? paths : [];
    const call = operationOf("whenAppears", others.length === 0 ? path : undefined);
    await inOperation(call, options?.signal, async () => {
      checkOptions("whenAppears()", options, watchRules);
      if (!Array.isArray(paths) || paths.length === 0)
        invalid(`paths must be a non-empty array of paths, got ${received(paths)}`);
      const uris = paths.map((path) => toPathUri(path, "path"));
      const { watcher, server } = await this.#calls.open(call, options?.signal);
      server.need("watch", "whenAppears()");
      await watcher.whenAppears(uris, options?.signal);
    });
  }
}
