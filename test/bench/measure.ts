import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * One round of a case. Resolves with the measured milliseconds, with undefined to measure the whole round, or with the
 * sample of another process.
 */
export type Round = () => Promise<number | Sample | undefined>;

/** The rounds of the compared clients, by name. */
export type Rounds = Readonly<Record<string, Round>>;

/** Milliseconds. `cpu` is the processor time of this process, which runs the clients and no server. */
export interface Sample {
  readonly wall: number;
  readonly cpu: number;
}

export type Samples = Readonly<Record<string, readonly Sample[]>>;

setFlagsFromString("--expose-gc");
const collectGarbage: (options: { type: "minor" }) => void = runInNewContext("gc");

/**
 * Runs the rounds in turns, starting with a different one each time, so that other load on the machine affects all alike.
 *
 * @param warmUp Further turns, which do not count: they include the time of the compiler.
 */
export async function interleave(turns: number, rounds: Rounds, warmUp = 3): Promise<Samples> {
  const names = Object.keys(rounds);
  const samples: Record<string, Sample[]> = Object.fromEntries(names.map((name) => [name, []]));
  for (let turn = -warmUp; turn < turns; turn++) {
    for (const at of names.keys()) {
      const name = names[(at + turn + warmUp) % names.length] as string;
      const sample = await measure(rounds[name] as Round);
      if (turn >= 0) samples[name]?.push(sample);
    }
  }
  return samples;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Interpolates between the two nearest values. */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at % 1);
}

export async function measure(round: Round): Promise<Sample> {
  // Collects the garbage of the previous round. A full collection would also discard compiled code
  // without live objects, which does not happen that often in a program.
  collectGarbage({ type: "minor" });
  await sleep(10);
  const cpu = process.cpuUsage();
  const start = performance.now();
  const measured = await round();
  if (typeof measured === "object") return measured;
  const wall = measured ?? performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { wall, cpu: (user + system) / 1000 };
}
