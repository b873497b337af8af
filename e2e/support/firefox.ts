import { provideFirefox } from "./browser.ts";

/** Provides Firefox ESR before all tests. */
export default function setup(): void {
  provideFirefox();
}
