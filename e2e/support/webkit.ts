import { provideWebKit } from "./browser.ts";

/** Provides WebKitGTK, its driver and a display before all tests. */
export default function setup(): void {
  provideWebKit();
}
