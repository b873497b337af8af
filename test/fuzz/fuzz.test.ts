import { expect, it } from "vitest";
import { runProgram } from "../support/program.ts";
import { BREAKAGES } from "./breakages.ts";

const FRAMES = 50_000;

async function fuzz(...args: string[]) {
  const end = await runProgram("test/fuzz/fuzz.ts", ["--frames", String(FRAMES), ...args]);
  process.stdout.write(end.text);
  return end;
}

it(`${FRAMES} frames, sound and spoiled, leave no promise hanging, no data wrong and no error of a foreign class`, async () => {
  const { code, text } = await fuzz();
  expect(code, text).toBe(0);
}, 300_000);

it("the same frames find each of the broken builds", async () => {
  const { code, text } = await fuzz("--broken");
  for (const name of Object.keys(BREAKAGES)) {
    expect(text).toMatch(new RegExp(`^found after \\d+ frames: ${name}$`, "m"));
  }
  expect(code).toBe(0);
}, 300_000);
