import { numbersFrom } from "./random.ts";

/** Seed of all random numbers. `SEED=… npm test` repeats a run. */
export const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

/** Prints the seed, once per test file. */
export function announceSeed(label: string): void {
  process.stdout.write(`${label}: SEED=${SEED}\n`);
}

/** Pseudo-random numbers from 0 to 1, the same for the same seed, name and round. */
export function seeded(name: string, round: number): () => number {
  let state = SEED + round * 7919;
  for (const letter of name) state = Math.imul(state ^ letter.charCodeAt(0), 0x01000193);
  return numbersFrom(state);
}
