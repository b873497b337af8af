import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { expect, type FrameLocator, type Page } from "@playwright/test";
import { startExample } from "./support/example.ts";
import { api, test as base } from "./web-ide/preview.ts";

const vitePackage = createRequire(import.meta.url).resolve("vite/package.json");
const VITE = [process.execPath, join(dirname(vitePackage), "bin/vite.js")];
// Vite's watcher ignores a change within 50 ms of the one before it: each test saves once.
const SAVED = 'grüße, "quotes" and \\';

interface Example {
  /** Where the dev server is to be seen on this machine. */
  readonly url: string;
  /** The port of the dev server on the other machine. */
  readonly port: number;
  /** Saves the text on the other machine. */
  save(text: string): void;
}

const test = base.extend<{ example: Example }>({
  /** The running example. It must end without an error. */
  example: async ({ execServer }, use) => {
    const args = [execServer.url, ...VITE];
    const program = startExample("vite-preview/vite-preview.ts", args, {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const exited = once(program, "exit");
    const lines = createInterface({ input: program.stdout as NodeJS.ReadableStream });
    const [line] = (await once(lines, "line")) as [string];
    const [, port, url = ""] = /^Port (\d+) there is (\S+) here/.exec(line) ?? [];
    await use({ url, port: Number(port), save: (text) => program.stdin?.write(`${text}\n`) });
    program.stdin?.end();
    expect(await exited).toEqual([0, null]);
  },
});

interface Watched extends HTMLElement {
  /** When the text has changed. It goes with the page. */
  changed: Promise<number>;
}

/** Opens a page, and resolves when Vite's client in it is connected: a save before that would not be seen. */
async function connected(page: Page, open: () => Promise<unknown>): Promise<void> {
  const message = page.waitForEvent("console", (each) => each.text() === "[vite] connected.");
  await Promise.all([message, open()]);
}

/** Expects the text of a save in a page that is not loaded again. Returns the milliseconds that it took. */
async function hotReload(shown: Page | FrameLocator, save: () => void): Promise<number> {
  const heading = shown.getByRole("heading");
  await expect(heading).toHaveText("Type something.");
  await heading.evaluate((element) => {
    (element as Watched).changed = new Promise((resolve) => {
      new MutationObserver(() => resolve(Date.now())).observe(element, { childList: true });
    });
  });
  const saved = Date.now();
  save();
  const ms = (await heading.evaluate((element) => (element as Watched).changed)) - saved;
  await expect(heading).toHaveText(SAVED);
  return ms;
}

test("the example shows a saved line in the page at once, without a reload", async ({ example, page }) => {
  await connected(page, () => page.goto(example.url));
  const ms = await hotReload(page, () => example.save(SAVED));
  process.stdout.write(`from save to seen through forwardPort: ${ms} ms\n`);
});

test("the frame of a preview in the web IDE reloads hot", async ({ example, ide, page }) => {
  const { url } = await (await api(ide, "POST", "", { port: example.port })).json();
  await page.goto(ide.url);
  await connected(page, () =>
    page.evaluate((src) => {
      document.body.append(Object.assign(document.createElement("iframe"), { id: "shown", src }));
    }, url),
  );
  const ms = await hotReload(page.frameLocator("#shown"), () => example.save(SAVED));
  process.stdout.write(`from save to seen through a preview: ${ms} ms\n`);
});
