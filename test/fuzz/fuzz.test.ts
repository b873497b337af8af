import { expect, it } from "vitest";
import { runProgram } from "../support/program.ts";

const FRAMES = 30_000;

it(`settles every promise with the right data or an SDK error during ${FRAMES} valid and mutated frames`, async () => {
  const { code, text } = await runProgram("test/fuzz/fuzz.ts", ["--frames", String(FRAMES)]);
  process.stdout.write(text);
  expect(code, text).toBe(0);
}, 300_000);
