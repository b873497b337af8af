import { Random } from "../support/random.ts";
import type { Sdk } from "../support/sdk.ts";
import { SEED, seeded } from "../support/seed.ts";
import { Violation } from "../support/violation.ts";
import { FuzzRun } from "./fuzz-run.ts";

export interface Result {
  readonly frames: number;
  readonly connections: number;
  /** The first violation, with its seed and the last frames; undefined if there was none. */
  readonly violation: string | undefined;
}

/**
 * Fuzzes one connection after the other until this many frames were sent, or until the first violation.
 *
 * @param first Number of the first connection. With the same seed, the same number reproduces the same connection.
 */
export async function fuzz(
  sdk: Sdk,
  frames: number,
  { first = 0, onProgress }: { first?: number; onProgress?: (result: Result) => void } = {},
): Promise<Result> {
  let [sent, number] = [0, first];
  let unhandled: Violation | undefined;
  const onUnhandled = (error: unknown): void => {
    unhandled ??= new Violation(`an unhandled rejection: ${error instanceof Error ? error.stack : error}`);
  };
  process.on("unhandledRejection", onUnhandled);
  let violation: string | undefined;
  while (sent < frames && violation === undefined) {
    const fuzzRun = new FuzzRun(sdk, new Random(seeded("fuzz", number)));
    try {
      await fuzzRun.run();
      if (unhandled) throw unhandled;
    } catch (error) {
      violation = describe(number, fuzzRun, error);
    }
    sent += fuzzRun.server.framesSent;
    number++;
    onProgress?.({ frames: sent, connections: number - first, violation });
  }
  // Node.js emits `unhandledRejection` only after the turn of the event loop in which it happened.
  await new Promise(setImmediate);
  process.off("unhandledRejection", onUnhandled);
  if (unhandled) violation ??= unhandled.message;
  return { frames: sent, connections: number - first, violation };
}

function describe(number: number, { server }: FuzzRun, error: unknown): string {
  const reason =
    error instanceof Violation ? error.message : `not an error of the SDK: ${(error as Error).stack}`;
  const frames = server.recent.map((frame) => `  ${Buffer.from(frame).toString().slice(0, 400)}`);
  return [`${reason} (SEED=${SEED}, --first ${number})`, ...frames].join("\n");
}
