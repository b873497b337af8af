import { defineConfig } from "@playwright/test";
import { CHROMIUM_ARGS, findChromium } from "./support/browser.ts";

/** The path is known in the workers: the global setup provides the browser before they start. */
export const CHROMIUM = {
  browserName: "chromium",
  launchOptions: { executablePath: findChromium() ?? "", args: CHROMIUM_ARGS },
} as const;

export const GLOBAL_SETUP = ["./support/chromium.ts", "./support/build-pages.ts", "./support/pack.ts"];

export default defineConfig({
  testDir: ".",
  outputDir: "../.tmp/e2e-results",
  globalSetup: GLOBAL_SETUP,
  timeout: 60_000,
  workers: 2,
  retries: 0,
  fullyParallel: true,
  forbidOnly: true,
  reporter: [["list"], ["./support/closing-line.ts"]],
  projects: [
    { name: "consumers", testMatch: "consumers/*.spec.ts", grep: /@quick/, use: CHROMIUM },
    {
      name: "chromium",
      testMatch: "*.spec.ts",
      testIgnore: ["consumers/**", "soak.spec.ts", "webkit.spec.ts"],
      use: CHROMIUM,
    },
    // Last, because it uses the whole machine.
    { name: "soak", testMatch: "soak.spec.ts", dependencies: ["consumers", "chromium"], use: CHROMIUM },
  ],
});
