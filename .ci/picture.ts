/** Makes the picture at the top of the README: the web IDE after a loss, its new session, and a preview. `npm run picture` */
import { join } from "node:path";
import { chromium, type Page } from "@playwright/test";
import { CHROMIUM_ARGS, provideChromium } from "../e2e/support/browser.ts";
import { LocalExecServer } from "../examples/web-ide/server/exec-server.ts";
import { startIdeServer } from "../examples/web-ide/server/ide-server.ts";
import { makeWorkspace } from "../examples/web-ide/server/workspace.ts";
import { unusedPort } from "../test/support/tcp-server.ts";

/** Milliseconds between two events, so that the strip shows them apart. */
const TIME_BETWEEN_MS = 9_000;
const FILE = join(import.meta.dirname, "../docs/web-ide.png");

await using execServer = await LocalExecServer.start();
const workspace = makeWorkspace();
const ide = await startIdeServer(execServer, workspace.root);
const browser = await chromium.launch({ executablePath: provideChromium(), args: CHROMIUM_ARGS });
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, deviceScaleFactor: 1.25 });
  await page.goto(ide.url);
  await tellTheStory(page, await unusedPort());
  await page.screenshot({ path: FILE });
  console.log(`Wrote ${FILE}.`);
} finally {
  await browser.close();
  await ide.close();
  workspace.remove();
}

async function tellTheStory(page: Page, port: number): Promise<void> {
  const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
  const screen = page.locator(".xterm-rows:visible");
  const type = async (command: string, expected: string | RegExp): Promise<void> => {
    await screen.filter({ hasText: /[$#]\s*$/ }).waitFor();
    await page.keyboard.type(`${command}\n`);
    await screen.filter({ hasText: expected }).waitFor();
  };
  const run = async (command: string, expected: string): Promise<void> => {
    await page.getByLabel("Command").fill(command);
    await page.keyboard.press("Enter");
    await page.locator("#process-output").filter({ hasText: expected }).waitFor();
  };

  await page.locator("#terminal").click();
  await type("node src/primes.js 40", "12 primes up to 40");
  await run("sh bin/weather.sh", "14°C");
  await page.waitForTimeout(TIME_BETWEEN_MS);
  await press("Kill server");
  await page.locator("#terminal-ended").waitFor();
  await page.waitForTimeout(TIME_BETWEEN_MS / 2);
  await press("100 callers");
  await page.locator("#callers-result").filter({ hasText: "1 failed" }).waitFor();
  await page.waitForTimeout(TIME_BETWEEN_MS);
  await press("Start server");
  await page.getByRole("button", { name: "Kill server" }).and(page.locator(":enabled")).waitFor();
  await press("100 callers");
  await page.locator("#callers-result").filter({ hasText: "1 dial" }).waitFor();

  await page.locator("#replace-terminal").click();
  await type("node src/primes.js 40", /12 primes up to 40[\s\S]*12 primes up to 40/);
  await run(`node src/site.js ${port}`, "listening");
  await run("yes | head -c 4000M", "y");
  await press("Open port");
  await page.keyboard.type(`${port}\n`);
  await page.frameLocator("#preview-host iframe").getByText("199").waitFor();
  await page.getByRole("treeitem", { name: "src" }).click();
  await page.getByRole("treeitem", { name: "sieve.js" }).click();
  await page.locator(".cm-content").filter({ hasText: "Eratosthenes" }).waitFor();
  await run("sh bin/weather.sh", "12°C");
  await page.waitForTimeout(TIME_BETWEEN_MS / 2);
}
