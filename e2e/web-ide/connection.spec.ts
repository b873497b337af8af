import { expect, type Page } from "@playwright/test";
import { badge, rowOf, session, terminal, test, type } from "./ide.ts";

const hint = (page: Page) => page.locator("#badge-hint");
const press = (page: Page, name: string) => page.getByRole("button", { name }).click();

test("strip and terminal show a killed server, and the next action opens one new session", async ({
  page,
  ready,
}) => {
  const lost = await session(page);
  await type(page, "sh bin/weather.sh");
  await expect(terminal(page)).toContainText("12°C");

  await press(page, "Kill server");
  await expect(badge(page)).toHaveText("Disconnected");
  await expect(terminal(page)).toContainText("Connection lost");
  await expect(page.locator("#terminal-ended")).toBeVisible();
  expect(ready.sockets()).toBe(1);

  // An action fails with a notice while the server is down.
  await rowOf(page, "package.json").click();
  await expect(page.getByRole("alert").filter({ hasText: "package.json" })).toContainText("can't be reached");
  await expect(badge(page)).toHaveText("Disconnected");
  expect(ready.sockets()).toBe(2);

  await press(page, "Start server");
  await expect(page.getByRole("button", { name: "Kill server" })).toBeEnabled();
  await expect(badge(page)).toHaveText("Disconnected");
  expect(ready.sockets()).toBe(2);

  // F6 leads to what comes next in the pane.
  await page.getByLabel("Command").focus();
  await page.keyboard.press("Shift+F6");
  await expect(page.locator("#replace-terminal")).toBeFocused();
  await page.keyboard.press("Enter");
  await rowOf(page, "package.json").click();
  expect(await session(page)).not.toBe(lost);
  await expect(page.locator(".cm-content")).toContainText("small-workspace");
  await expect(page.locator("#terminal-ended")).toBeHidden();
  await expect(terminal(page)).toContainText(/[#$]/);
  await type(page, "echo $((6 * 7))nd");
  await expect(terminal(page)).toContainText("42nd");
  expect(ready.sockets()).toBe(3);

  await page.locator("#events summary").click();
  await expect(page.locator("#badge-changes li").first()).toContainText("connecting → connected");
  await expect(page.locator("#badge-changes")).toContainText(`${lost} · ERR_DISCONNECTED`);
  await page.keyboard.press("Escape");
  await expect(page.locator("#badge-changes")).toBeHidden();
});

test("100 callers share the session, one dial, or one failed dial with one error", async ({
  page,
  ready,
}) => {
  const result = page.locator("#callers-result");
  const first = await session(page);
  await press(page, "100 callers");
  await expect(result).toHaveText(new RegExp(`^100 callers · no dial · session ${first} · \\d+ ms$`));
  expect(ready.sockets()).toBe(1);

  await press(page, "Kill server");
  await expect(badge(page)).toHaveText("Disconnected");
  await press(page, "100 callers");
  await expect(result).toHaveText(/^100 callers · 1 failed dial · 1 error object · ERR_CONNECT · \d+ ms$/);
  expect(ready.sockets()).toBe(2);

  await press(page, "Start server");
  await expect(page.getByRole("button", { name: "Kill server" })).toBeEnabled();
  await press(page, "100 callers");
  const second = await session(page);
  expect(second).not.toBe(first);
  await expect(result).toHaveText(new RegExp(`^100 callers · 1 dial · session ${second} · \\d+ ms$`));
  expect(ready.sockets()).toBe(3);

  // The callers that have met leave no dots.
  await expect(page.locator(".fan")).toHaveCount(3);
  await expect(page.locator(".fan circle")).toHaveCount(0);
});

test("marks show sessions, milliseconds of dials, and what losses took along", async ({ page, ready }) => {
  const first = await session(page);
  await expect(page.locator(".session")).toHaveText([first]);
  await expect(page.locator(".attempt .label")).toHaveText([/^[\d.]+ ms$/]);
  await press(page, "Kill server");
  await expect(page.locator(".loss .label")).toHaveText([/^−1 process · code \d+$/]);
  await expect(page.locator(".loss")).toHaveAttribute("title", /ERR_DISCONNECTED .* took along 1 process$/);
  await press(page, "100 callers");
  await expect(page.locator(".attempt[data-outcome=failed]")).toHaveCount(1);

  await press(page, "Start server");
  await expect(hint(page)).toHaveText("your next action connects");
  await page.locator("#replace-terminal").click();
  const second = await session(page);
  await expect(page.locator(".session")).toHaveCount(2);
  await expect(page.locator(".session").last()).toHaveAttribute("title", new RegExp(`^${second}`));
  expect(ready.sockets()).toBe(3);
});

test("says what comes next before and after the first attempt", async ({ ide, execServer, page }) => {
  let answer = (): void => {};
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await page.route("**/api/workspace", async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(ide.url);
  await expect(badge(page)).toHaveText("Not connected yet");
  await expect(hint(page)).toHaveText("connects with your first action");

  await execServer.kill();
  await expect(hint(page)).toHaveText("the server is down: start it");
  answer();
  await expect(hint(page)).toHaveText("first attempt failed: start the server");
  const failed = page.locator('#tree [data-kind="error"]');
  await expect(failed).toContainText("can't be reached");
  await press(page, "Start server");
  await expect(hint(page)).toHaveText("first attempt failed: try again");
  await page.locator("#replace-terminal").click();
  await session(page);
  await expect(hint(page)).toHaveText("one session for every caller");
  await failed.click();
  await expect(rowOf(page, "README.md")).toBeVisible();
  await expect(failed).toHaveCount(0);
  await press(page, "Kill server");
  await expect(hint(page)).toHaveText("the server is down: start it");
});

test("a frozen server is found by keepAlive, and another one needs no more than the next action", async ({
  page,
  ready,
}) => {
  await session(page);
  await press(page, "Freeze");
  await expect(hint(page)).toHaveText("no answer: keepAlive ends this");
  await expect(badge(page)).toHaveText("Disconnected", { timeout: 40_000 });
  await expect(hint(page)).toHaveText("the server is frozen: thaw it");
  await press(page, "Thaw");
  await expect(hint(page)).toHaveText("your next action connects");
  expect(ready.sockets()).toBe(1);
  await press(page, "100 callers");
  await session(page);
  expect(ready.sockets()).toBe(2);
});

test("says that the page's own server is gone, and when it is back", async ({ ide, page }) => {
  await page.goto(ide.url);
  await session(page);
  await press(page, "Kill server");
  await expect(hint(page)).toHaveText("the server is down: start it");
  await page.route("**/api/server", (route) => route.abort());
  await expect(hint(page)).toHaveText("the page's own server is gone: start it");
  await expect(page.getByRole("button", { name: "Start server" })).toBeDisabled();
  await page.unroute("**/api/server");
  await expect(hint(page)).toHaveText("the server is down: start it");
});
