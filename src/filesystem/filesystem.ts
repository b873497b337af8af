import { type Delivery, ProtocolError, ServerError, UsageError } from "../errors.ts";
import { decodeBase64, encodeBase64 } from "../internal/base64.ts";
import { type Bytes, textOf } from "../internal/bytes.ts";
import { MAX_BLOCK } from "../protocol/filesystem.ts";
import type { MethodName, ParamsOf, ResultOf } from "../protocol/methods.ts";
import { toNativePath, toPathUri } from "../protocol/path-uri.ts";
import { wireSandbox } from "../protocol/sandbox.ts";
import type { RpcPeer } from "../rpc/peer.ts";
import { BlockReader, BlockWriter } from "./blocks.ts";
import { direntOf, type RemoteDirent, type RemoteStats, statsOf, type WalkResult } from "./entries.ts";
import type { FileHandle, FileHandles } from "./handles.ts";
import {
  checkEncoding,
  type FileEncoding,
  type FileOptions,
  type ReadFileOptions,
  type ReadStreamOptions,
  type RecursiveOptions,
  type RmOptions,
  reportProgress,
  type TransferOptions,
  type WalkOptions,
  type WriteFileOptions,
} from "./options.ts";
import type { PathWatcher } from "./path-watcher.ts";
import type { RemoteFileSystem } from "./remote-filesystem.ts";
import { bytesOf, readStream, writeStream } from "./streams.ts";
import { Transfer, withBytesWritten } from "./transfer.ts";
import { walk } from "./walk.ts";

/** What file operations need of a connection. */
export interface FileSession {
  readonly rpc: RpcPeer;
  readonly files: FileHandles;
  readonly missing: PathWatcher;
  /** Whether the server takes files in blocks; older ones take them whole only. */
  readonly canWriteBlocks: boolean;
}

type Path = string | URL;

/** The file operations, on whatever session `connect` gives at the time of each. */
export class FileSystem implements RemoteFileSystem {
  readonly #connect: (options: { signal?: AbortSignal | undefined }) => Promise<FileSession>;

  constructor(connect: (options: { signal?: AbortSignal | undefined }) => Promise<FileSession>) {
    this.#connect = connect;
  }

  readFile(
    path: Path,
    options: FileEncoding | (ReadFileOptions & { readonly encoding: FileEncoding }),
  ): Promise<string>;
  readFile(path: Path, options?: ReadFileOptions & { readonly encoding?: null | undefined }): Promise<Bytes>;
  async readFile(path: Path, options: FileEncoding | ReadFileOptions = {}): Promise<string | Bytes> {
    const { encoding, ...transfer } = typeof options === "string" ? { encoding: options } : options;
    const asText = checkEncoding(encoding);
    const bytes = await this.#readAll(path, transfer);
    reportProgress(transfer, bytes.length, bytes.length);
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
    const where = location(path, transfer);
    const { canWriteBlocks } = await this.#connect(transfer);
    if (bytes.length > MAX_BLOCK && canWriteBlocks) await this.#writeBlocks(path, bytes, transfer);
    else await this.#call("fs/writeFile", { ...where, dataBase64: encodeBase64(bytes) }, transfer);
    reportProgress(transfer, bytes.length, bytes.length);
  }

  async mkdir(path: Path, options: RecursiveOptions = {}): Promise<void> {
    await this.#call(
      "fs/createDirectory",
      { ...location(path, options), recursive: options.recursive ?? false },
      options,
    );
  }

  async rm(path: Path, options: RmOptions = {}): Promise<void> {
    const { recursive = false, force = false } = options;
    await this.#call("fs/remove", { ...location(path, options), recursive, force }, options);
  }

  async cp(source: Path, destination: Path, options: RecursiveOptions = {}): Promise<void> {
    await this.#call(
      "fs/copy",
      {
        sourcePath: toPathUri(source, "The source path"),
        destinationPath: toPathUri(destination, "The destination path"),
        recursive: options.recursive ?? false,
        sandbox: wireSandbox(options.sandbox),
      },
      options,
    );
  }

  async realpath(path: Path, options: FileOptions = {}): Promise<string> {
    return toNativePath((await this.#call("fs/canonicalize", location(path, options), options)).path);
  }

  async exists(path: Path, options: FileOptions = {}): Promise<boolean> {
    try {
      await this.stat(path, options);
      return true;
    } catch (error) {
      // The reason of an abort may be a ServerError, too, but tells nothing of this path.
      options.signal?.throwIfAborted();
      const isMissing = error instanceof ServerError && /^not-(found|a-directory)$/.test(error.kind ?? "");
      if (isMissing) return false;
      throw error;
    }
  }

  async stat(path: Path, options: FileOptions = {}): Promise<RemoteStats> {
    return statsOf(await this.#call("fs/getMetadata", location(path, options), options));
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
    const where = location(path, options);
    const { entries } = await this.#call("fs/readDirectory", where, options);
    if (!options.withFileTypes) return entries.map(({ fileName }) => fileName);
    const parentPath = toNativePath(where.path);
    return entries.map((entry) => direntOf(parentPath, entry));
  }

  async walk(path: Path, options: WalkOptions = {}): Promise<WalkResult> {
    return await walk(
      (method, params) => this.#call(method, params, options),
      location(path, options),
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
    const uris = paths.map((path) => toPathUri(path, "A path to wait for"));
    if (uris.length === 0) throw new UsageError("ERR_INVALID_ARGUMENT", "There is no path to wait for");
    const { missing } = await this.#connect(options);
    await missing.whenAppears(uris, options.signal);
  }

  async #call<M extends MethodName>(
    method: M,
    params: ParamsOf<M>,
    options: { signal?: AbortSignal | undefined },
  ): Promise<ResultOf<M>> {
    const { rpc } = await this.#connect(options);
    return await rpc.call(method, params, { signal: options.signal });
  }

  /** Checks the path now, opens the file when it is called. */
  #opener(
    path: Path,
    mode: "read" | "replace",
    options: FileOptions,
  ): (signal: AbortSignal) => Promise<FileHandle> {
    const where = location(path, options);
    return async (signal) => {
      const { files } = await this.#connect({ signal });
      return await files.open({ ...where, mode }, signal);
    };
  }

  /** Small files in one request, which costs less; large ones in blocks, which no frame is too small for. */
  async #readAll(path: Path, options: ReadFileOptions): Promise<Bytes> {
    const where = location(path, options);
    const { isFile, size } = await this.#call("fs/getMetadata", where, options);
    if (isFile && (size ?? 0) > MAX_BLOCK) return await this.#readBlocks(path, size ?? 0, options);
    const { rpc } = await this.#connect(options);
    const { dataBase64 } = await rpc.call("fs/readFile", where, { signal: options.signal });
    const bytes = decodeBase64(dataBase64);
    if (bytes) return bytes;
    throw new ProtocolError("The server sent a file that is not valid base64", {
      sessionId: rpc.sessionId,
      delivery: "answered",
    });
  }

  async #readBlocks(path: Path, total: number, options: ReadFileOptions): Promise<Bytes> {
    let all: Bytes = allocate(total, "not-sent");
    let bytes = 0;
    const transfer = new Transfer(
      this.#opener(path, "read", options),
      (handle) => new BlockReader(handle, 0, Number.POSITIVE_INFINITY),
      options.signal,
    );
    const next = async (blocks: BlockReader): Promise<Bytes | undefined> => {
      const block = await blocks.next();
      const end = bytes + (block?.length ?? 0);
      // The file has grown since its size was told.
      if (end > all.length) all = grown(all, all.length + end);
      return block;
    };
    for (let block = await transfer.step(next); block; block = await transfer.step(next)) {
      all.set(block, bytes);
      bytes += block.length;
      reportProgress(options, bytes, Math.max(bytes, total));
    }
    await transfer.finish();
    return bytes === all.length ? all : all.slice(0, bytes);
  }

  async #writeBlocks(path: Path, bytes: Uint8Array, options: TransferOptions): Promise<void> {
    let bytesWritten = 0;
    const transfer = new Transfer(
      this.#opener(path, "replace", options),
      (handle) =>
        new BlockWriter(handle, (confirmed) => {
          bytesWritten = confirmed;
          reportProgress(options, confirmed, bytes.length);
        }),
      options.signal,
    );
    try {
      await transfer.step(async (blocks) => {
        await blocks.write(bytes);
        await blocks.flush();
      });
    } catch (error) {
      throw withBytesWritten(error, bytesWritten);
    }
    await transfer.finish();
  }
}

function location(path: Path, { sandbox }: FileOptions) {
  return { path: toPathUri(path, "The path"), sandbox: wireSandbox(sandbox) };
}

function allocate(bytes: number, delivery: Delivery): Bytes {
  try {
    return new Uint8Array(bytes);
  } catch {
    const problem = `A file of ${bytes} bytes does not fit into this process's memory: use createReadStream()`;
    throw new UsageError("ERR_TOO_LARGE", problem, { delivery });
  }
}

function grown(start: Bytes, bytes: number): Bytes {
  const all = allocate(bytes, "answered");
  all.set(start);
  return all;
}
