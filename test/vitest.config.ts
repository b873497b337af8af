import { defineConfig } from "vitest/config";
import ClosingLine from "./support/closing-line.ts";

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    retry: 0,
    reporters: ["default", new ClosingLine()],
    allowOnly: false,
    maxWorkers: 2,
  },
});
