import { defineConfig } from "@playwright/test";
import base, { CHROMIUM, GLOBAL_SETUP } from "./playwright.config.ts";
import { findFirefox } from "./support/browser.ts";

/** The packed package in the projects of `consumers`, and a page in other browsers than Chromium: `npm run test:matrix`. */
export default defineConfig({
  ...base,
  globalSetup: ["./support/firefox.ts", "./support/webkit.ts", ...GLOBAL_SETUP],
  reporter: [["list"], ["./support/matrix-table.ts"], ["./support/closing-line.ts"]],
  projects: [
    { name: "consumers", testMatch: "consumers/*.spec.ts", use: CHROMIUM },
    {
      name: "Firefox ESR",
      testMatch: [
        "reconnect.spec.ts",
        "features.spec.ts",
        "plain-html.spec.ts",
        "web-ide/preview-browser.spec.ts",
      ],
      use: {
        browserName: "firefox",
        // Drives an unpatched Firefox through WebDriver BiDi.
        channel: "moz-firefox",
        launchOptions: { executablePath: findFirefox() ?? "" },
      },
    },
    { name: "WebKitGTK", testMatch: "webkit.spec.ts" },
  ],
});
