import { UsageError } from "../errors.ts";
import { type Bytes, utf8 } from "../internal/bytes.ts";
import { BlockReader, BlockWriter } from "./blocks.ts";
import type { FileHandle } from "./handles.ts";
import { byteRange, type ReadStreamOptions, reportProgress, type TransferOptions } from "./options.ts";
import { Transfer, withBytesWritten } from "./transfer.ts";

type Open = (signal: AbortSignal) => Promise<FileHandle>;

/** Opens the file with the first read and holds no more than the blocks under way. */
export function readStream(open: Open, options: ReadStreamOptions): ReadableStream<Bytes> {
  const [start, end] = byteRange(options);
  const transfer = new Transfer(open, (handle) => new BlockReader(handle, start, end), options.signal);
  let bytes = 0;
  return new ReadableStream<Bytes>(
    {
      start(controller) {
        whenAborted(transfer.signal, (reason) => {
          controller.error(reason);
          transfer.abort(reason);
        });
      },
      async pull(controller) {
        const block = await transfer.step((blocks) => blocks.next());
        if (block) {
          bytes += block.length;
          controller.enqueue(block);
          reportProgress(options, bytes);
        } else {
          controller.close();
          await transfer.finish();
        }
      },
      cancel: (reason) => transfer.abort(reason),
    },
    // Nothing is read ahead of the reader but the blocks under way.
    { highWaterMark: 0 },
  );
}

/** Opens, and so empties, the file with the first write or with the close. */
export function writeStream(open: Open, options: TransferOptions): WritableStream<Uint8Array> {
  let bytesWritten = 0;
  const blocksOf = (handle: FileHandle) =>
    new BlockWriter(handle, (confirmed) => {
      bytesWritten = confirmed;
      reportProgress(options, confirmed);
    });
  const transfer = new Transfer(open, blocksOf, options.signal);
  const step = async (work: (blocks: BlockWriter) => Promise<void>): Promise<void> => {
    try {
      await transfer.step(work);
    } catch (error) {
      throw withBytesWritten(error, bytesWritten);
    }
  };
  return new WritableStream<Uint8Array>({
    start(controller) {
      whenAborted(transfer.signal, (reason) => {
        const error = withBytesWritten(reason, bytesWritten);
        // Node 20 breaks when a stream is told of an error while it is being aborted itself.
        if (!controller.signal.aborted) controller.error(error);
        transfer.abort(reason);
      });
      // The stream calls `abort` below only when the write under way has ended; this is told at once.
      whenAborted(controller.signal, (reason) => transfer.abort(reason));
    },
    write: (chunk) => step((blocks) => blocks.write(bytesOf(chunk))),
    async close() {
      await step((blocks) => blocks.flush());
      await transfer.finish();
    },
    abort: (reason) => transfer.abort(reason),
  });
}

/** What can be written: text, or any view of bytes. */
export function bytesOf(data: string | ArrayBufferView | ArrayBuffer): Uint8Array {
  if (typeof data === "string") return utf8(data);
  if (data instanceof Uint8Array) return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  throw new UsageError(
    "ERR_INVALID_ARGUMENT",
    "What is written to a file is a string, a view of bytes or an ArrayBuffer",
  );
}

function whenAborted(signal: AbortSignal, onAbort: (reason: unknown) => void): void {
  if (signal.aborted) onAbort(signal.reason);
  else signal.addEventListener("abort", () => onAbort(signal.reason), { once: true });
}
