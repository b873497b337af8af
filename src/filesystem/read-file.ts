import { ProtocolError } from "../errors/connection.ts";
import type { Delivery } from "../errors/error.ts";
import { UsageError } from "../errors/usage.ts";
import { decodeBase64 } from "../internal/base64.ts";
import type { Bytes } from "../internal/bytes.ts";
import { MAX_BLOCK, type PathParams } from "../protocol/filesystem.ts";
import type { RpcPeer } from "../rpc/peer.ts";
import { readBlocks } from "./blocks.ts";
import type { FileSession } from "./file-session.ts";
import type { FileHandles } from "./handles.ts";
import { reportProgress, type TransferOptions } from "./options.ts";

/** Bytes of the largest file that fits into one response. */
const MAX_WHOLE = 45 * 1024 * 1024;

/** Reads a whole file: a small one in one request, which is faster; others in blocks, which fit into any frame. */
export async function readFile(
  { rpc, files, server }: FileSession,
  file: PathParams,
  options: TransferOptions,
): Promise<Bytes> {
  const { signal } = options;
  const { isFile, size } = await rpc.call("fs/getMetadata", file, { signal });
  // Size 0 can be a lie: files in /proc hold more than one frame can carry.
  const [least, most] = server.has("readStreams") ? [1, MAX_BLOCK] : [0, MAX_WHOLE];
  const isSmall = !isFile || size == null || (size >= least && size <= most);
  if (!isSmall) server.need("readStreams", "A file above 45 MiB");
  const bytes = isSmall ? await readSmall(rpc, file, signal) : await readLarge(files, file, size, options);
  reportProgress(options, bytes.length, bytes.length);
  return bytes;
}

async function readSmall(rpc: RpcPeer, file: PathParams, signal: AbortSignal | undefined): Promise<Bytes> {
  const { dataBase64 } = await rpc.call("fs/readFile", file, { signal });
  const bytes = decodeBase64(dataBase64);
  if (bytes) return bytes;
  throw new ProtocolError("The server sent a file that is not valid base64", {
    sessionId: rpc.sessionId,
    delivery: "answered",
  });
}

async function readLarge(
  files: FileHandles,
  path: PathParams,
  size: number,
  options: TransferOptions,
): Promise<Bytes> {
  let all = allocate(size, "not-sent");
  let length = 0;
  const file = await files.open({ ...path, mode: "read" }, options.signal);
  try {
    for await (const block of readBlocks(file, 0, Number.POSITIVE_INFINITY, size)) {
      const end = length + block.length;
      // The file has grown since the server reported its size.
      if (end > all.length) all = grown(all, all.length + end);
      all.set(block, length);
      length = end;
      reportProgress(options, length, size > 0 ? Math.max(length, size) : undefined);
    }
  } finally {
    // Nothing depends on the response, which is a round trip away.
    void file.close();
  }
  return length === all.length ? all : all.slice(0, length);
}

function allocate(bytes: number, delivery: Delivery): Bytes {
  try {
    return new Uint8Array(bytes);
  } catch {
    const message = `A file of ${bytes} bytes does not fit into this process's memory: use createReadStream()`;
    throw new UsageError("ERR_TOO_LARGE", message, { delivery });
  }
}

function grown(start: Bytes, bytes: number): Bytes {
  const all = allocate(bytes, "answered");
  all.set(start);
  return all;
}
