import { provideChromium } from "./browser.ts";

/** Provides a Chromium before all tests. */
export default function setup(): void {
  provideChromium();
}
