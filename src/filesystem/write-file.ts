import { encodeBase64 } from "../internal/base64.ts";
import { MAX_BLOCK, type PathParams } from "../protocol/filesystem.ts";
import { BlockWriter, withBytesWritten } from "./blocks.ts";
import type { FileSession } from "./file-session.ts";
import type { FileHandle, FileHandles } from "./handles.ts";
import { reportProgress, type TransferOptions } from "./options.ts";

/** Writes a whole file: a small one in one request, a large one in blocks if the server supports them. */
export async function writeFile(
  { rpc, files, canWriteBlocks }: FileSession,
  path: PathParams,
  bytes: Uint8Array,
  options: TransferOptions,
): Promise<void> {
  if (bytes.length > MAX_BLOCK && canWriteBlocks) await writeLarge(files, path, bytes, options);
  else {
    const params = { ...path, dataBase64: encodeBase64(bytes) };
    await rpc.call("fs/writeFile", params, { signal: options.signal });
  }
  reportProgress(options, bytes.length, bytes.length);
}

async function writeLarge(
  files: FileHandles,
  path: PathParams,
  bytes: Uint8Array,
  options: TransferOptions,
): Promise<void> {
  let file: FileHandle | undefined;
  let bytesWritten = 0;
  try {
    file = await files.open({ ...path, mode: "replace" }, options.signal);
    const blocks = new BlockWriter(file, (confirmed) => {
      bytesWritten = confirmed;
      reportProgress(options, confirmed, bytes.length);
    });
    await blocks.write(bytes);
    await blocks.flush();
    await file.close();
  } catch (error) {
    // An error does not wait for the close.
    void file?.close();
    throw withBytesWritten(error, bytesWritten);
  }
}
