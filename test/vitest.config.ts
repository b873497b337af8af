import { defineConfig } from "vitest/config";
import ClosingLine from "./support/closing-line.ts";

export default defineConfig({
  test: {
    root: import.meta.dirname,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    retry: 0,
    reporters: ["default", new ClosingLine()],
    allowOnly: false,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["**/*.test.ts"],
          exclude: ["long/**", "**/node_modules/**"],
          maxWorkers: 2,
        },
      },
      // Once more with upstreams whose frames the gateway can't relay.
      {
        extends: true,
        test: {
          name: "gateway-proxy",
          include: ["gateway/{attach,close,close-races,heartbeat,hostile-frames,upstream}.test.ts"],
          env: { GATEWAY_FORWARDS: "messages" },
          maxWorkers: 2,
        },
      },
    ],
  },
});
