import { expect, it } from "vitest";
import { BrokenBuild } from "../support/broken-build.ts";
import { runProgram } from "../support/program.ts";
import { QUICK } from "./breakages.ts";

/** Enough for about half of all that can go wrong, another half with every seed. `npm run soak` has the patience for more. */
const FAULTS = 24;

it(`${FAULTS} faults on every kind of connection cost what they have to, and nothing else`, async () => {
  const { code, text } = await runProgram("test/soak/soak.ts", ["--faults", String(FAULTS)]);
  process.stdout.write(text);
  expect(code, text).toBe(0);
}, 600_000);

it.each(Object.entries(QUICK))(
  "the same soak finds that %s",
  async (_, breakage) => {
    using broken = new BrokenBuild(breakage);
    const { code, text } = await runProgram(
      "test/soak/soak.ts",
      ["--stage", "direct", "--sources", broken.directory],
      {
        env: { PATIENCE: "0.4" },
      },
    );
    process.stdout.write(text);
    expect(text).toContain("VIOLATION");
    expect(code).toBe(1);
  },
  600_000,
);
