import { defineConfig } from "vitest/config";
import ClosingLine from "../support/closing-line.ts";

/** Tests that take minutes, or the whole machine. One by one. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["*.test.ts"],
    testTimeout: 300_000,
    hookTimeout: 30_000,
    retry: 0,
    reporters: ["default", new ClosingLine()],
    allowOnly: false,
    maxWorkers: 1,
  },
});
