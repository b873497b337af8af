import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** One round of a case. A case about something else than its duration returns that, in milliseconds. */
export type Round = () => Promise<number | undefined>;

/** The rounds of those who are compared, by name. */
export type Rounds = Readonly<Record<string, Round>>;

/** Milliseconds; the processor's are those of this process, in which all clients run and no server. */
export interface Sample {
  readonly wall: number;
  readonly cpu: number;
}

export type Samples = Readonly<Record<string, readonly Sample[]>>;

/** Turns that do not count: the compiler works in this process too, and its time would. */
const WARM_UP = 3;

setFlagsFromString("--expose-gc");
const collectGarbage: (options: { type: "minor" }) => void = runInNewContext("gc");

/**
 * Runs all of them in turns, each time another one first, so that whatever the machine does meanwhile hits all alike.
 * The first turns warm up and do not count.
 */
export async function interleave(turns: number, rounds: Rounds): Promise<Samples> {
  const names = Object.keys(rounds);
  const samples: Record<string, Sample[]> = Object.fromEntries(names.map((name) => [name, []]));
  for (let turn = -WARM_UP; turn < turns; turn++) {
    for (const at of names.keys()) {
      const name = names[(at + turn + WARM_UP) % names.length] as string;
      const sample = await measure(rounds[name] as Round);
      if (turn >= 0) samples[name]?.push(sample);
    }
  }
  return samples;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Interpolated between the two values next to it. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * part;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at % 1);
}

async function measure(round: Round): Promise<Sample> {
  // Nobody shall pay for what the round before has left behind. A full collection also takes
  // compiled code along whose objects are all gone by then, which no program has at every turn.
  collectGarbage({ type: "minor" });
  await sleep(10);
  const cpu = process.cpuUsage();
  const start = performance.now();
  const own = await round();
  const wall = own ?? performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { wall, cpu: (user + system) / 1000 };
}
