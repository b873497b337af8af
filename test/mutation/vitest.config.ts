import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** The unit tests of the core, without slow tests and tests with a real server: a mutant takes one or two seconds. */
export default defineConfig({
  test: {
    root: join(import.meta.dirname, ".."),
    include: [
      "rpc/*.test.ts",
      "client/{lazy-client,connection-status,reentrancy,client}.test.ts",
      "internal/single-flight.test.ts",
      "process/event-order.test.ts",
    ],
    exclude: ["rpc/real-server.test.ts"],
    // The same random numbers for each mutant.
    env: { SEED: "1" },
    testTimeout: 5_000,
    retry: 0,
  },
});
