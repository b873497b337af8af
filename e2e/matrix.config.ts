import { defineConfig } from "@playwright/test";
import base, { CHROMIUM } from "./playwright.config.ts";
import { findFirefox } from "./support/browser.ts";

/** The package as its users have it, and the reconnect tests in further browsers: `npm run test:matrix`. */
export default defineConfig({
  ...base,
  reporter: [["list"], ["./support/matrix-table.ts"], ["./support/closing-line.ts"]],
  projects: [
    { name: "consumers", testMatch: "consumers/*.spec.ts", use: CHROMIUM },
    {
      name: "Firefox ESR",
      testMatch: "reconnect.spec.ts",
      use: {
        browserName: "firefox",
        // Through WebDriver BiDi, which an unpatched Firefox understands.
        channel: "moz-firefox",
        launchOptions: { executablePath: findFirefox() },
      },
    },
  ],
});
