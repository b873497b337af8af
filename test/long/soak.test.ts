import { expect, it } from "vitest";
import { QUICK } from "../soak/breakages.ts";
import { BrokenBuild } from "../support/broken-build.ts";
import { runProgram } from "../support/program.ts";

/** Covers about half of all faults, a different half with every seed. `npm run soak` covers all of them. */
const FAULTS = 10;

it(`survives ${FAULTS} faults on WebSocket, gateway and stdio connections without a violation`, async () => {
  const { code, text } = await runProgram("test/soak/soak.ts", ["--faults", String(FAULTS)]);
  process.stdout.write(text);
  expect(code, text).toBe(0);
}, 600_000);

it.each(Object.entries(QUICK))(
  "detects that %s",
  async (_, breakage) => {
    using broken = new BrokenBuild(breakage);
    const { code, text } = await runProgram(
      "test/soak/soak.ts",
      ["--setup", "direct", "--sources", broken.directory],
      {
        env: { TIMEOUT_FACTOR: "0.4" },
      },
    );
    process.stdout.write(text);
    expect(text).toContain("VIOLATION");
    expect(code).toBe(1);
  },
  600_000,
);
