import { numbersFrom } from "./random.ts";

/** What makes a random run repeatable: `SEED=… npm test` makes the same one. */
export const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

/** Says once per file how to have the same numbers again. */
export function announceSeed(what: string): void {
  process.stdout.write(`${what}: SEED=${SEED}\n`);
}

/** Numbers from 0 to 1, the same for the same seed, name and round. */
export function seeded(name: string, round: number): () => number {
  let state = SEED + round * 7919;
  for (const letter of name) state = Math.imul(state ^ letter.charCodeAt(0), 0x01000193);
  return numbersFrom(state);
}
