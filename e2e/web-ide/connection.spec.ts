import { expect } from "@playwright/test";
import { badge, rowOf, session, terminal, test, type } from "./ide.ts";

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
  await rowOf(page, "package.json").click();
  await expect(page.getByRole("alert").filter({ hasText: "package.json" })).toContainText("can't be reached");
  await expect(badge(page)).toHaveText("Disconnected");
  expect(ready.sockets()).toBe(2);

  await page.getByRole("button", { name: "Start server" }).click();
  await expect(page.getByRole("button", { name: "Kill server" })).toBeEnabled();
  await expect(badge(page)).toHaveText("Disconnected");
  expect(ready.sockets()).toBe(2);

  await page.locator("#replace-terminal").click();
  await rowOf(page, "package.json").click();
  expect(await session(page)).not.toBe(lost);
  await expect(page.locator(".cm-content")).toContainText("small-workspace");
  await expect(page.locator("#terminal-ended")).toBeHidden();
  await expect(terminal(page)).toContainText(/[#$]/);
  await type(page, "echo $((6 * 7))nd");
  await expect(terminal(page)).toContainText("42nd");
  expect(ready.sockets()).toBe(3);

  await page.locator("#badge summary").click();
  await expect(page.locator("#badge-changes li").first()).toContainText("connecting → connected");
  await expect(page.locator("#badge-changes")).toContainText(`${lost} · ERR_DISCONNECTED`);
});
