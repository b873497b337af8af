import { defineConfig } from "@playwright/test";
import { CHROMIUM_ARGS, findChromium } from "./support/browser.ts";

export default defineConfig({
  testDir: ".",
  testMatch: "*.spec.ts",
  outputDir: "../.tmp/e2e-results",
  globalSetup: "./support/build-pages.ts",
  timeout: 60_000,
  workers: 2,
  retries: 0,
  fullyParallel: true,
  forbidOnly: true,
  reporter: [["list"], ["./support/closing-line.ts"]],
  projects: [
    {
      name: "chromium",
      use: {
        browserName: "chromium",
        launchOptions: { executablePath: findChromium(), args: CHROMIUM_ARGS },
      },
    },
  ],
});
