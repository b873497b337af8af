import { expect, it } from "vitest";
import { BREAKAGES } from "../fuzz/breakages.ts";
import { runProgram } from "../support/program.ts";

it("the fuzzer detects each broken build", async () => {
  const { code, text } = await runProgram("test/fuzz/fuzz.ts", ["--frames", "100000", "--broken"]);
  for (const name of Object.keys(BREAKAGES)) {
    expect(text).toMatch(new RegExp(`^found after \\d+ frames: ${name}$`, "m"));
  }
  expect(code, text).toBe(0);
});
