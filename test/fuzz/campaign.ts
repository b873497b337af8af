import { Random } from "../support/random.ts";
import type { Sdk } from "../support/sdk.ts";
import { SEED, seeded } from "../support/seed.ts";
import { Violation } from "../support/violation.ts";
import { Episode } from "./episode.ts";

export interface Result {
  readonly frames: number;
  readonly connections: number;
  /** Why it ended early, in words. */
  readonly violation: string | undefined;
}

/**
 * Plays one connection after the other until so many frames were sent, or something did not hold.
 *
 * @param first Number of the first connection; the same number is the same connection.
 */
export async function fuzz(
  sdk: Sdk,
  frames: number,
  { first = 0, onProgress }: { first?: number; onProgress?: (result: Result) => void } = {},
): Promise<Result> {
  let [sent, number] = [0, first];
  let stray: Violation | undefined;
  const onStray = (error: unknown): void => {
    stray ??= new Violation(`an unhandled rejection: ${error instanceof Error ? error.stack : error}`);
  };
  process.on("unhandledRejection", onStray);
  let violation: string | undefined;
  while (sent < frames && violation === undefined) {
    const episode = new Episode(sdk, new Random(seeded("fuzz", number)));
    try {
      await episode.play();
      if (stray) throw stray;
    } catch (error) {
      violation = describe(number, episode, error);
    }
    sent += episode.server.framesSent;
    number++;
    onProgress?.({ frames: sent, connections: number - first, violation });
  }
  // A rejection is told as unhandled only after the turn it happened in.
  await new Promise(setImmediate);
  process.off("unhandledRejection", onStray);
  if (stray) violation ??= stray.message;
  return { frames: sent, connections: number - first, violation };
}

function describe(number: number, { server }: Episode, error: unknown): string {
  const why =
    error instanceof Violation ? error.message : `an error of a foreign class: ${(error as Error).stack}`;
  const frames = server.recent.map((frame) => `  ${Buffer.from(frame).toString().slice(0, 400)}`);
  return [`${why} (SEED=${SEED}, --first ${number})`, ...frames].join("\n");
}
