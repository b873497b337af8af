import { ServerError } from "../errors.ts";
import { isAbortReason } from "../internal/abort.ts";
import { invalid } from "../internal/arguments.ts";
import { bindMembers } from "../internal/bound.ts";
import { type Bytes, textOf } from "../internal/bytes.ts";
import type { PathParams } from "../protocol/filesystem.ts";
import type { MethodName, ParamsOf, ResultOf } from "../protocol/methods.ts";
import { toNativePath, toPathUri } from "../protocol/path-uri.ts";
import { wireSandbox } from "../protocol/sandbox.ts";
import { direntOf, type RemoteDirent, type RemoteStats, statsOf, type WalkResult } from "./entries.ts";
import type { FileSession } from "./file-session.ts";
import {
  bytesOf,
  checkEncoding,
  type FileEncoding,
  type FileOptions,
  type ReadFileOptions,
  type ReadStreamOptions,
  type RecursiveOptions,
  type RmOptions,
  type TransferOptions,
  type WalkOptions,
  type WriteFileOptions,
} from "./options.ts";
import { readFile } from "./read-file.ts";
import type { RemoteFileSystem } from "./remote-filesystem.ts";
import { type OpenFile, readStream, writeStream } from "./streams.ts";
import { walk } from "./walk.ts";
import { writeFile } from "./write-file.ts";

type Path = string | URL;

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
  readFile(path: Path, options?: ReadFileOptions & { readonly encoding?: null | undefined }): Promise<Bytes>;
  async readFile(path: Path, options: FileEncoding | ReadFileOptions = {}): Promise<string | Bytes> {
    const { encoding, ...transfer } = typeof options === "string" ? { encoding: options } : options;
    const asText = checkEncoding(encoding);
    const params = pathParams(path, transfer);
    const bytes = await readFile(await this.#connect(transfer), params, transfer);
    return asText ? textOf(bytes) : bytes;
  }

  async writeFile(
    path: Path,
    data: string | ArrayBufferView | ArrayBuffer,
    options: FileEncoding | WriteFileOptions = {},
  ): Promise<void> {
    const { encoding, ...transfer } = typeof options === "string" ? { encoding: options } : options;
    checkEncoding(encoding);
    const bytes = bytesOf(data);
    const params = pathParams(path, transfer);
    await writeFile(await this.#connect(transfer), params, bytes, transfer);
  }

  async mkdir(path: Path, options: RecursiveOptions = {}): Promise<void> {
    const params = { ...pathParams(path, options), recursive: options.recursive ?? false };
    await this.#call("fs/createDirectory", params, options);
  }

  async rm(path: Path, options: RmOptions = {}): Promise<void> {
    const flags = { recursive: options.recursive ?? false, force: options.force ?? false };
    await this.#call("fs/remove", { ...pathParams(path, options), ...flags }, options);
  }

  async cp(source: Path, destination: Path, options: RecursiveOptions = {}): Promise<void> {
    const params = {
      sourcePath: toPathUri(source, "source"),
      destinationPath: toPathUri(destination, "destination"),
      recursive: options.recursive ?? false,
      sandbox: wireSandbox(options.sandbox),
    };
    await this.#call("fs/copy", params, options);
  }

  async realpath(path: Path, options: FileOptions = {}): Promise<string> {
    return toNativePath((await this.#call("fs/canonicalize", pathParams(path, options), options)).path);
  }

  async exists(path: Path, options: FileOptions = {}): Promise<boolean> {
    try {
      await this.stat(path, options);
      return true;
    } catch (error) {
      if (!(error instanceof ServerError) || isAbortReason(error, options.signal)) throw error;
      if (error.kind === "not-found" || error.kind === "not-a-directory") return false;
      throw error;
    }
  }

  async stat(path: Path, options: FileOptions = {}): Promise<RemoteStats> {
    return statsOf(await this.#call("fs/getMetadata", pathParams(path, options), options));
  }

  readdir(
    path: Path,
    options?: FileOptions & { readonly withFileTypes?: false | undefined },
  ): Promise<string[]>;
  readdir(path: Path, options: FileOptions & { readonly withFileTypes: true }): Promise<RemoteDirent[]>;
  async readdir(
    path: Path,
    options: FileOptions & { readonly withFileTypes?: boolean | undefined } = {},
  ): Promise<string[] | RemoteDirent[]> {
    const params = pathParams(path, options);
    const { entries } = await this.#call("fs/readDirectory", params, options);
    if (!options.withFileTypes) return entries.map(({ fileName }) => fileName);
    const parentPath = toNativePath(params.path);
    return entries.map((entry) => direntOf(parentPath, entry));
  }

  async walk(path: Path, options: WalkOptions = {}): Promise<WalkResult> {
    return await walk(
      (method, params) => this.#call(method, params, options),
      pathParams(path, options),
      options,
    );
  }

  createReadStream(path: Path, options: ReadStreamOptions = {}): ReadableStream<Bytes> {
    return readStream(this.#opener(path, "read", options), options);
  }

  createWriteStream(path: Path, options: TransferOptions = {}): WritableStream<Uint8Array> {
    return writeStream(this.#opener(path, "replace", options), options);
  }

  async whenAppears(
    paths: readonly Path[],
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    const uris = paths.map((path) => toPathUri(path, "path"));
    if (uris.length === 0) invalid("paths must contain at least one path, got an empty array");
    const { watcher } = await this.#connect(options);
    await watcher.whenAppears(uris, options.signal);
  }

  async #call<M extends MethodName>(
    method: M,
    params: ParamsOf<M>,
    options: { signal?: AbortSignal | undefined },
  ): Promise<ResultOf<M>> {
    const { rpc } = await this.#connect(options);
    return await rpc.call(method, params, { signal: options.signal });
  }

  /** Checks the path now. The function it returns opens the file. */
  #opener(path: Path, mode: "read" | "replace", options: FileOptions): OpenFile {
    const params = pathParams(path, options);
    return async (signal) => {
      const { files } = await this.#connect({ signal });
      return await files.open({ ...params, mode }, signal);
    };
  }
}

function pathParams(path: Path, { sandbox }: FileOptions): PathParams {
  return { path: toPathUri(path, "path"), sandbox: wireSandbox(sandbox) };
}
