import { linkedController, onAbort } from "../internal/abort.ts";
import type { Bytes } from "../internal/bytes.ts";
import { platformClass } from "../internal/platform.ts";
import { BlockWriter, readBlocks, withBytesWritten } from "./blocks.ts";
import type { FileHandle } from "./handles.ts";
import {
  byteRange,
  bytesOf,
  type ReadStreamOptions,
  reportProgress,
  type TransferOptions,
} from "./options.ts";

/** Opens the file of a stream. An abort of the signal closes it. */
export type OpenFile = (signal: AbortSignal) => Promise<FileHandle>;

/** Opens the file with the first read. Holds no more than the blocks in flight. */
export function readStream(open: OpenFile, options: ReadStreamOptions): ReadableStream<Bytes> {
  const [start, end] = byteRange(options);
  // Aborts with the caller's signal, and on a cancel or an error.
  const { controller: stop, unlink } = linkedController(options.signal);
  let file: FileHandle | undefined;
  let blocks: AsyncGenerator<Bytes, void> | undefined;
  let bytes = 0;
  return new (platformClass("ReadableStream"))<Bytes>(
    {
      start(controller) {
        whenAborted(stop.signal, (reason) => {
          unlink();
          controller.error(reason);
        });
      },
      async pull(controller) {
        try {
          file ??= await open(stop.signal);
          blocks ??= readBlocks(file, start, end);
          const { value: block } = await blocks.next();
          if (block) {
            bytes += block.length;
            controller.enqueue(block);
            reportProgress(options, bytes);
          } else {
            controller.close();
            unlink();
            void file.close();
          }
        } catch (error) {
          stop.abort(error);
        }
      },
      cancel: (reason) => stop.abort(reason),
    },
    // Only the blocks in flight are read ahead of the reader.
    { highWaterMark: 0 },
  );
}

/** Opens the file, and so empties it, with the first write or with the close. */
export function writeStream(open: OpenFile, options: TransferOptions): WritableStream<Uint8Array> {
  // Aborts with the caller's signal, and on an abort of the stream or an error.
  const { controller: stop, unlink } = linkedController(options.signal);
  let file: FileHandle | undefined;
  let blocks: BlockWriter | undefined;
  let bytesWritten = 0;
  const openBlocks = async (): Promise<BlockWriter> => {
    file ??= await open(stop.signal);
    blocks ??= new BlockWriter(file, (confirmed) => {
      bytesWritten = confirmed;
      reportProgress(options, confirmed);
    });
    return blocks;
  };
  const fail = (error: unknown): never => {
    stop.abort(error);
    throw withBytesWritten(error, bytesWritten);
  };
  return new (platformClass("WritableStream"))<Uint8Array>({
    start(controller) {
      whenAborted(stop.signal, (reason) => {
        unlink();
        const error = withBytesWritten(reason, bytesWritten);
        // Node 20 fails when a stream that is being aborted receives another error.
        if (!controller.signal.aborted) controller.error(error);
      });
      // Fires at once, while `abort` of a sink is called only after the write in flight has settled.
      onAbort(controller.signal, () => stop.abort(controller.signal.reason));
    },
    async write(chunk) {
      try {
        const bytes = bytesOf(chunk);
        await (await openBlocks()).write(bytes);
      } catch (error) {
        fail(error);
      }
    },
    async close() {
      try {
        await (await openBlocks()).flush();
      } catch (error) {
        fail(error);
      }
      unlink();
      await file?.close();
    },
  });
}

function whenAborted(signal: AbortSignal, callback: (reason: unknown) => void): void {
  if (signal.aborted) callback(signal.reason);
  else onAbort(signal, () => callback(signal.reason));
}
