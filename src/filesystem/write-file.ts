import { concatBytes } from "../internal/bytes.ts";
import type { Contents } from "../internal/contents.ts";
import { MAX_BLOCK, type PathParams } from "../protocol/filesystem.ts";
import type { RpcPeer } from "../rpc/peer.ts";
import { BlockWriter, type WritableFile, withBytesWritten } from "./blocks.ts";
import { type FileSession, isRefusal, lookUp } from "./file-session.ts";
import { livePieces } from "./live-pieces.ts";
import { reportProgress, type TransferOptions } from "./options.ts";

/** Bytes of the largest file that fits into one request. */
const MAX_WHOLE = 11 * 1024 * 1024;

/** Writes a whole file: a small one in one request; a large one, or a stream, in blocks if the server supports them. */
export async function writeFile(
  session: FileSession,
  path: PathParams,
  contents: Contents,
  options: TransferOptions,
): Promise<void> {
  const isSmall = contents.bytes !== undefined && contents.bytes.length <= MAX_BLOCK;
  if (!isSmall && session.server.has("writeStreams"))
    return await writeLarge(session, path, contents, options);
  const { signal } = options;
  const bytes = contents.bytes ?? concatBytes(await all(livePieces(session.rpc, contents, signal)));
  if (bytes.length > MAX_WHOLE) session.server.need("writeStreams", "A file above 11 MiB");
  await session.rpc.call("fs/writeFile", path, { signal, payload: { name: "dataBase64", bytes } });
  reportProgress(options, bytes.length, bytes.length);
}

/** Opens a file for writing, which empties it. A device is written without being opened: the server opens files only. */
export async function openForWriting(
  session: FileSession,
  path: PathParams,
  signal: AbortSignal | undefined,
): Promise<WritableFile> {
  session.server.need("writeStreams", "Writing a file in blocks");
  try {
    return await session.files.open({ ...path, mode: "replace" }, signal);
  } catch (error) {
    if (!isRefusal(error, signal) || error.kind !== "not-a-file") throw error;
    if ((await lookUp(session, path, signal))?.isDirectory) throw error;
    return new Device(session.rpc, path, signal);
  }
}

async function writeLarge(
  session: FileSession,
  path: PathParams,
  contents: Contents,
  options: TransferOptions,
): Promise<void> {
  const { signal } = options;
  let file: WritableFile | undefined;
  let blocks: BlockWriter | undefined;
  let bytesWritten = 0;
  const total = contents.bytes ? contents.bytes.length : contents.total;
  const open = async (): Promise<BlockWriter> => {
    file ??= await openForWriting(session, path, signal);
    blocks ??= new BlockWriter(file, (confirmed) => {
      bytesWritten = confirmed;
      reportProgress(options, confirmed, total);
    });
    return blocks;
  };
  try {
    // Opened with the first piece: a source that fails at once leaves the file as it was.
    for await (const piece of livePieces(session.rpc, contents, signal)) {
      await (await open()).write(piece);
    }
    await (await open()).flush();
    await file?.close();
  } catch (error) {
    // An error does not wait for the close.
    void file?.close();
    throw withBytesWritten(error, bytesWritten);
  }
  reportProgress(options, bytesWritten, bytesWritten);
}

async function all(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  for await (const piece of pieces) found.push(piece);
  return found;
}

/** A device such as /dev/null. It takes bytes in order and has no offsets. Nothing stays open between two writes. */
class Device implements WritableFile {
  readonly signal: AbortSignal | undefined;
  readonly #rpc: RpcPeer;
  readonly #path: PathParams;
  #last: Promise<unknown> = Promise.resolve();

  constructor(rpc: RpcPeer, path: PathParams, signal: AbortSignal | undefined) {
    this.#rpc = rpc;
    this.#path = path;
    this.signal = signal;
  }

  async write(_offset: number, bytes: Uint8Array): Promise<void> {
    // Copied now: the caller may reuse the memory.
    const payload = { name: "dataBase64", bytes: bytes.slice() } as const;
    const { signal } = this;
    const write = this.#last.then(() => this.#rpc.call("fs/writeFile", this.#path, { signal, payload }));
    this.#last = write;
    await write;
  }

  async close(): Promise<void> {}
}
