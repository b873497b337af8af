import { bytesOf } from "../internal/bytes.ts";
import { unobserved } from "../internal/deferred.ts";
import { platformClass } from "../internal/platform.ts";
import type { ProcessStdin } from "./stdin.ts";

/** Bytes that may be in flight before a write waits. Small chunks of a stream then go out as one piece. */
const HIGH_WATER_BYTES = 1024 * 1024;

/**
 * The standard input as a stream. It errors when a write fails, the process has exited or the connection has ended. An
 * abort must not look like the end of the input, so it calls `onAbort`, which terminates the process.
 */
export function stdinStream(
  stdin: Pick<ProcessStdin, "write" | "end" | "onEnd">,
  onAbort: () => Promise<unknown>,
): WritableStream<string | Uint8Array> {
  let inFlight = 0;
  return new (platformClass("WritableStream"))<string | Uint8Array>({
    start(controller) {
      stdin.onEnd((error) => controller.error(error));
      // The stream calls `abort` only after the write in flight, which the process may never read.
      controller.signal?.addEventListener("abort", () => void unobserved(onAbort()), { once: true });
    },
    async write(chunk, controller) {
      const bytes = bytesOf(chunk);
      inFlight += bytes.length;
      const waits = inFlight > HIGH_WATER_BYTES;
      // The caller may reuse the memory of a chunk as soon as its write has resolved.
      const written = stdin.write(waits || typeof chunk === "string" ? bytes : bytes.slice()).then(
        () => {
          inFlight -= bytes.length;
        },
        (error: unknown) => {
          controller.error(error);
          throw error;
        },
      );
      if (waits) await written;
      else void unobserved(written);
    },
    close: () => stdin.end(),
    abort: async () => {
      await onAbort();
    },
  });
}
