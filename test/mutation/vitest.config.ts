import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** The unit tests of the core: those that need no server of their own, so that a mutant costs seconds. */
export default defineConfig({
  test: {
    root: join(import.meta.dirname, ".."),
    include: [
      "rpc/*.test.ts",
      "client/{lazy-client,reentrancy,timeline,client}.test.ts",
      "internal/{single-flight,fifo}.test.ts",
      "process/event-order.test.ts",
    ],
    testTimeout: 10_000,
    retry: 0,
  },
});
