import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** One round of a case. A case about something else than its duration returns that, in milliseconds. */
export type Round = () => Promise<number | undefined>;

export interface Sample {
  readonly ms: number;
  readonly cpuMs: number;
}

export interface Pair {
  readonly sdk: Sample;
  readonly other: Sample;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

/**
 * Runs the two against each other: A B, B A, A B, … so that whatever the machine does meanwhile hits both alike. The
 * first pair warms up and does not count.
 */
export async function interleave(pairs: number, sdk: Round, other: Round): Promise<Pair[]> {
  const results: Pair[] = [];
  for (let i = 0; i <= pairs; i++) {
    const sdkFirst = i % 2 === 0;
    const first = await measure(sdkFirst ? sdk : other);
    const second = await measure(sdkFirst ? other : sdk);
    if (i > 0) results.push(sdkFirst ? { sdk: first, other: second } : { sdk: second, other: first });
  }
  return results;
}

export function spread(values: readonly number[]): Spread {
  return { median: quantile(values, 0.5), min: Math.min(...values), max: Math.max(...values) };
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
  // Nobody shall pay for what the round before has left behind.
  collectGarbage();
  await sleep(10);
  const cpu = process.cpuUsage();
  const start = performance.now();
  const own = await round();
  const ms = own ?? performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { ms, cpuMs: (user + system) / 1000 };
}
