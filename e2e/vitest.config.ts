import { defineConfig } from "vitest/config";
import ClosingLine from "../test/support/closing-line.ts";

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["**/*.test.ts"],
    globalSetup: "support/packed.ts",
    testTimeout: 60_000,
    retry: 0,
    reporters: ["default", new ClosingLine()],
    allowOnly: false,
    maxWorkers: 2,
  },
});
