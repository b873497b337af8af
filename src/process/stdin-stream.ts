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
    start: (controller) => stdin.onEnd((error) => controller.error(error)),
    write(chunk, controller) {
      const { length } = chunk;
      inFlight += length;
      const written = stdin.write(chunk).then(
        () => {
          inFlight -= length;
        },
        (error: unknown) => controller.error(error),
      );
      return inFlight > HIGH_WATER_BYTES ? written : undefined;
    },
    close: () => stdin.end(),
    abort: async () => {
      await onAbort();
    },
  });
}
