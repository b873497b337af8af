import { cpSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";
import { buildApp } from "../../examples/electron/build.ts";

const ROOT = join(import.meta.dirname, "../..");

/** The output directory of the test page. */
export const TEST_PAGE = join(ROOT, ".tmp/e2e-page");

/** The output directory of the Electron example. */
export const ELECTRON_APP = join(ROOT, ".tmp/e2e-electron");

/** The directory of the example without a bundler. */
export const PLAIN_PAGE = join(ROOT, ".tmp/e2e-plain-html");

/** Builds all pages with the built package, once before all tests. */
export default async function buildPages(): Promise<void> {
  await build({
    configFile: false,
    root: join(import.meta.dirname, "../page"),
    logLevel: "warn",
    build: {
      outDir: TEST_PAGE,
      emptyOutDir: true,
      target: "es2022",
      modulePreload: { polyfill: false },
      rolldownOptions: {
        input: {
          index: join(import.meta.dirname, "../page/index.html"),
          frame: join(import.meta.dirname, "../page/frame.html"),
          worker: join(import.meta.dirname, "../page/guest.ts"),
        },
        output: { entryFileNames: "[name].js" },
      },
    },
  });
  await build({ configFile: join(ROOT, "examples/web-ide/vite.config.ts"), logLevel: "warn" });
  await buildApp(ELECTRON_APP);
  const file = "exec-server-sdk.min.js";
  cpSync(join(ROOT, "examples/plain-html"), PLAIN_PAGE, { recursive: true });
  cpSync(join(ROOT, "dist", file), join(PLAIN_PAGE, file));
}
