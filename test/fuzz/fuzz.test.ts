import { expect, it } from "vitest";
import { runProgram } from "../support/program.ts";
import { BREAKAGES } from "./breakages.ts";

const FRAMES = 30_000;

async function fuzz(...args: string[]) {
  const result = await runProgram("test/fuzz/fuzz.ts", ["--frames", String(FRAMES), ...args]);
  process.stdout.write(result.text);
  return result;
}

it(`settles every promise with the right data or an SDK error during ${FRAMES} valid and mutated frames`, async () => {
  const { code, text } = await fuzz();
  expect(code, text).toBe(0);
}, 300_000);

it("detects each broken build with the same frames", async () => {
  const { code, text } = await fuzz("--broken");
  for (const name of Object.keys(BREAKAGES)) {
    expect(text).toMatch(new RegExp(`^found after \\d+ frames: ${name}$`, "m"));
  }
  expect(code).toBe(0);
}, 300_000);
