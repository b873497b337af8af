import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test as base, expect, type Page } from "@playwright/test";
import { type IdeServer, startIdeServer } from "../examples/web-ide/server/ide-server.ts";
import { makeWorkspace } from "../examples/web-ide/server/workspace.ts";
import { ExecServer } from "../test/support/exec-server.ts";

interface Ide extends IdeServer {
  readonly root: string;
}

const test = base.extend<{ ide: Ide; ready: { readonly sockets: () => number } }>({
  // biome-ignore lint/correctness/noEmptyPattern: the runner reads the parameter's names.
  ide: async ({}, use) => {
    const execServer = await ExecServer.start({ args: ["--concurrent-requests", "8"] });
    const workspace = makeWorkspace();
    const ide = await startIdeServer(execServer, workspace.root);
    await use({ ...ide, root: workspace.root });
    await ide.close();
    await execServer[Symbol.asyncDispose]();
    workspace.remove();
  },

  /** Opens the page and waits for the prompt of the shell. Fails if the page logs or throws anything. */
  ready: async ({ ide, page }, use) => {
    const problems: string[] = [];
    let sockets = 0;
    page.on("console", (message) => problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("websocket", () => sockets++);
    await page.goto(ide.url);
    await expect(terminal(page)).toContainText(/[#$]/);
    await use({ sockets: () => sockets });
    expect(problems).toEqual([]);
  },
});

const terminal = (page: Page) => page.locator("#terminal .xterm-rows");
const badge = (page: Page) => page.locator("#badge-text");
const rowOf = (page: Page, name: string) => page.locator("#tree").getByRole("button", { name, exact: true });

async function type(page: Page, command: string): Promise<void> {
  await page.locator("#terminal").click();
  await page.keyboard.type(`${command}\n`);
}

/** The first 8 characters of the session id, as the badge shows them. */
async function session(page: Page): Promise<string> {
  await expect(badge(page)).toHaveText(/^Connected · [0-9a-f]{8}$/);
  return (await badge(page).innerText()).slice(-8);
}

test("tree, editor and terminal share one connection", async ({ ide, page, ready }) => {
  await rowOf(page, "src").click();
  await rowOf(page, "primes.js").click();
  await page.locator(".cm-content").click();
  await page.keyboard.press("Control+Home");
  await page.keyboard.type('console.log("edited");\n');
  await expect(page.locator(".tab[data-changed]")).toHaveCount(1);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator(".tab[data-changed]")).toHaveCount(0);
  expect(readFileSync(join(ide.root, "src/primes.js"), "utf8")).toMatch(/^console\.log\("edited"\);\n/);

  await type(page, "node src/primes.js 40");
  await expect(terminal(page)).toContainText("edited");
  await expect(terminal(page)).toContainText("12 primes up to 40");
  expect(ready.sockets()).toBe(1);
});

test("creates a file, and saves it with the keyboard", async ({ ide, page, ready }) => {
  await page.getByRole("button", { name: "New file" }).click();
  await page.keyboard.type("hello.txt\n");
  await expect(rowOf(page, "hello.txt")).toHaveAttribute("data-selected");
  await page.locator(".cm-content").click();
  await page.keyboard.type("Grüße");
  await page.keyboard.press("Control+s");
  await expect(page.getByRole("button", { name: "Save" })).toBeDisabled();
  expect(readFileSync(join(ide.root, "hello.txt"), "utf8")).toBe("Grüße");
  expect(ready.sockets()).toBe(1);
});

test("the terminal is a tty with the size of its panel", async ({ page, ready }) => {
  await type(page, "while :; do stty size | tr ' ' x; sleep 0.1; done");
  const rows = (): Promise<number> => terminal(page).locator("> div").count();
  const before = await rows();
  await expect(terminal(page)).toContainText(`${before}x`);
  await page.locator("#splitter").focus();
  for (let n = 0; n < 4; n++) await page.keyboard.press("ArrowUp");
  await expect.poll(rows).toBeGreaterThan(before);
  // The size can still be changing.
  const isPrinted = async (): Promise<boolean> =>
    (await terminal(page).textContent())?.includes(`${await rows()}x`) ?? false;
  await expect.poll(isPrinted).toBe(true);
  await type(page, "\x03");
  expect(ready.sockets()).toBe(1);
});

test("badge and terminal show a killed server, and the next action opens one new session", async ({
  page,
  ready,
}) => {
  const lost = await session(page);
  await type(page, "sh bin/weather.sh");
  await expect(terminal(page)).toContainText("12°C");

  await page.getByRole("button", { name: "Kill server" }).click();
  await expect(badge(page)).toHaveText("Disconnected");
  await expect(terminal(page)).toContainText("Connection lost");
  await expect(page.locator("#terminal-ended")).toBeVisible();
  expect(ready.sockets()).toBe(1);

  // An action fails with a notice while the server is down.
  await rowOf(page, "README.md").click();
  await expect(page.getByRole("alert").filter({ hasText: "README.md" })).toContainText("can't be reached");
  await expect(badge(page)).toHaveText("Disconnected");
  expect(ready.sockets()).toBe(2);

  await page.getByRole("button", { name: "Start server" }).click();
  await expect(page.getByRole("button", { name: "Kill server" })).toBeEnabled();
  await expect(badge(page)).toHaveText("Disconnected");
  expect(ready.sockets()).toBe(2);

  await page.locator("#replace-terminal").click();
  await rowOf(page, "README.md").click();
  expect(await session(page)).not.toBe(lost);
  await expect(page.locator(".cm-content")).toContainText("A small workspace");
  await expect(page.locator("#terminal-ended")).toBeHidden();
  await expect(terminal(page)).toContainText(/[#$]/);
  await type(page, "echo $((6 * 7))nd");
  await expect(terminal(page)).toContainText("42nd");
  expect(ready.sockets()).toBe(3);

  await page.locator("#badge summary").click();
  await expect(page.locator("#badge-changes li").first()).toContainText("connecting → connected");
  await expect(page.locator("#badge-changes")).toContainText(`${lost} · ERR_DISCONNECTED`);
});

test("shows the exit code of a shell, and a button for a new one", async ({ page, ready }) => {
  await type(page, "exit 3");
  await expect(page.locator("#terminal-ended")).toContainText("The shell ended with code 3.");
  await page.locator("#replace-terminal").click();
  await type(page, "echo $((40 + 2))nd");
  await expect(terminal(page)).toContainText("42nd");
  expect(ready.sockets()).toBe(1);
});

test("rejects requests of other origins for the token and the server buttons", async ({ ide, request }) => {
  const { host } = new URL(ide.url);
  for (const headers of [
    {},
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "same-origin", host: `attacker.example:${new URL(ide.url).port}` },
  ]) {
    expect((await request.get(`${ide.url}/api/connection`, { headers })).status()).toBe(403);
    expect((await request.post(`${ide.url}/api/server/kill`, { headers })).status()).toBe(403);
  }
  const page = await request.get(ide.url, { headers: { host } });
  const policy = page.headers()["content-security-policy"];
  expect(policy).toContain("default-src 'none'; script-src 'self';");
  expect(policy).toContain("require-trusted-types-for 'script'");
});
