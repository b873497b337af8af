import { isAbortReason, linkedController, onAbort } from "../internal/abort.ts";
import { byteStream } from "../internal/byte-stream.ts";
import { type Bytes, bytesOf } from "../internal/bytes.ts";
import { weakly, whenCollected } from "../internal/collected.ts";
import { attribute, type Operation } from "../internal/operation.ts";
import { platformClass } from "../internal/platform.ts";
import { BlockWriter, readBlocks, type WritableFile, withBytesWritten } from "./blocks.ts";
import type { FileHandle } from "./handles.ts";
import { byteRange, type ReadStreamOptions, reportProgress, type WriteStreamOptions } from "./options.ts";

/** Opens the file of a stream. An abort of the signal closes it. */
type OpenFile<File> = (signal: AbortSignal) => Promise<File>;

/** Opens the file with the first read. Holds no more than the blocks in flight. Errors name the operation. */
export function readStream(
  open: OpenFile<FileHandle>,
  options: ReadStreamOptions,
  operation: Operation,
): ReadableStream<Bytes> {
  const [start, end] = byteRange(options);
  // Aborts with the caller's signal, and on a cancel or an error.
  const { controller: stop, unlink } = linkedController(options.signal);
  let blocks: AsyncGenerator<Bytes, void> | undefined;
  let bytes = 0;
  const { stream, fail } = byteStream({
    async next() {
      try {
        blocks ??= readBlocks(await open(stop.signal), start, end);
        const { value: block } = await blocks.next();
        if (!block) {
          unlink();
          return undefined;
        }
        bytes += block.length;
        if (!stop.signal.aborted) reportProgress(options, bytes);
        return block;
      } catch (error) {
        stop.abort(named(error, stop.signal, operation));
        throw stop.signal.reason;
      }
    },
    cancel: (reason) => stop.abort(reason),
  });
  whenAborted(stop.signal, (reason) => {
    unlink();
    fail(reason);
  });
  return stream;
}

/** Opens the file, and so empties it, with the first write or with the close. Errors name the operation. */
export function writeStream(
  open: OpenFile<WritableFile>,
  options: WriteStreamOptions,
  operation: Operation,
): WritableStream<Uint8Array> {
  // Aborts with the caller's signal, and on an abort of the stream or an error.
  const { controller: stop, unlink } = linkedController(options.signal);
  let file: WritableFile | undefined;
  let blocks: BlockWriter | undefined;
  let bytesWritten = 0;
  const openBlocks = async (): Promise<BlockWriter> => {
    if (!file) {
      file = await open(stop.signal);
      // Otherwise only the next write would reject.
      file.onLost?.((error) => stop.abort(named(error, stop.signal, operation)));
    }
    blocks ??= new BlockWriter(file, (confirmed) => {
      bytesWritten = confirmed;
      reportProgress(options, confirmed);
    });
    return blocks;
  };
  const fail = (error: unknown): never => {
    stop.abort(named(error, stop.signal, operation));
    throw withBytesWritten(error, bytesWritten);
  };
  let forget = (): void => {};
  const sink: UnderlyingSink<Uint8Array> = {
    start(controller) {
      const kept = weakly(controller);
      whenAborted(stop.signal, (reason) => {
        unlink();
        forget();
        const error = withBytesWritten(reason, bytesWritten);
        const found = kept.deref();
        // Node 20 fails when a stream that is being aborted receives another error.
        if (!found?.signal.aborted) found?.error(error);
      });
      stopOnAbort(controller.signal, stop);
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
      forget();
      await file?.close();
    },
  };
  // Not the stream: its object can be collected while a writer still uses it.
  forget = whenCollected(sink, () => stop.abort());
  return new (platformClass("WritableStream"))(sink);
}

/** The error, with the operation in its message, unless it is the reason of an abort. */
function named(error: unknown, signal: AbortSignal, operation: Operation): unknown {
  if (!isAbortReason(error, signal)) attribute(error, operation);
  return error;
}

/** Fires at once, while `abort` of a sink is called only after the write in flight has settled. */
function stopOnAbort(signal: AbortSignal, stop: AbortController): void {
  onAbort(signal, () => stop.abort(signal.reason));
}

function whenAborted(signal: AbortSignal, callback: (reason: unknown) => void): void {
  if (signal.aborted) callback(signal.reason);
  else onAbort(signal, () => callback(signal.reason));
}
