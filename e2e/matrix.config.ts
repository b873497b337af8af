import { defineConfig } from "@playwright/test";
import chromium from "./playwright.config.ts";
import { findFirefox } from "./support/browser.ts";

/** The reconnect tests in further browsers: `npm run test:matrix`. */
export default defineConfig({
  ...chromium,
  testMatch: "reconnect.spec.ts",
  projects: [
    {
      name: "firefox-esr",
      use: {
        browserName: "firefox",
        // Through WebDriver BiDi, which an unpatched Firefox understands.
        channel: "moz-firefox",
        launchOptions: { executablePath: findFirefox() },
      },
    },
  ],
});
