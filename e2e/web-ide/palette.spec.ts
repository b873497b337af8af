import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "@playwright/test";
import { badge, rowOf, tabOf, test, text, type } from "./ide.ts";

test("Control+P goes to a file, from anywhere", async ({ ide, page, ready }) => {
  const options = page.getByRole("option");
  const input = page.getByRole("combobox");
  mkdirSync(join(ide.root, "node_modules/sieve"), { recursive: true });
  writeFileSync(join(ide.root, "node_modules/sieve/sieve.js"), "");
  mkdirSync(join(ide.root, "test"));
  writeFileSync(join(ide.root, "test/sieve.test.js"), "// a test\n");

  // The terminal's shell would go back in its history.
  await page.locator("#terminal").click();
  await page.keyboard.press("Control+p");
  await expect(input).toBeFocused();
  await expect(options).toHaveCount(8);
  await page.keyboard.type("svjs");
  await expect(options.first()).toHaveText("sieve.jssrc/");
  await expect(options.first()).toHaveAttribute("aria-selected", "true");
  await expect(options.first().locator("mark")).toHaveText(["s", "v", "js"]);
  await page.keyboard.press("ArrowDown");
  await expect(options.nth(1)).toHaveAttribute("aria-selected", "true");
  await expect(input).toHaveAttribute(
    "aria-activedescendant",
    (await options.nth(1).getAttribute("id")) ?? "",
  );
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await expect(options.last()).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("Home");
  await page.keyboard.press("Control+a");
  await page.keyboard.type("stest");
  await page.keyboard.press("Enter");
  await expect(tabOf(page, "sieve.test.js")).toHaveAttribute("aria-selected", "true");
  await expect(text(page)).toBeFocused();

  // A file that is made later is found too.
  await page.keyboard.press("Control+p");
  await page.keyboard.type("later");
  await expect(page.getByText("No match")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(text(page)).toBeFocused();
  writeFileSync(join(ide.root, "later.txt"), "late\n");
  await page.keyboard.press("Control+p");
  await page.keyboard.type("later");
  await options.filter({ hasText: "later.txt" }).click();
  await expect(text(page)).toHaveText("late");
  expect(ready.sockets()).toBe(1);
});

test("runs commands, and says why files can't be listed", async ({ execServer, page, ready }) => {
  const options = page.getByRole("option");
  // Also right after it was closed.
  await page.keyboard.press("Control+p");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+Shift+p");
  await page.keyboard.type("new fi");
  await expect(options.first()).toHaveText("New file");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("textbox", { name: "Name of the new file" })).toBeFocused();
  await page.keyboard.type("made.txt\n");
  await expect(rowOf(page, "made.txt")).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("Control+p");
  await page.keyboard.type(">close");
  await page.keyboard.press("Enter");
  await expect(tabOf(page, "made.txt")).toHaveCount(0);

  await page.keyboard.press("F1");
  await expect(page.getByRole("dialog", { name: "Keyboard" })).toContainText("Go to a file");
  await page.keyboard.press("Escape");
  await type(page, "true");

  await execServer.kill("SIGKILL");
  await expect(badge(page)).toHaveText("Disconnected");
  await page.keyboard.press("Control+p");
  await expect(page.getByText(/The files can't be listed: /)).toBeVisible();
  // What is known stays.
  await expect(options.first()).toBeVisible();
  await page.keyboard.press("Escape");
  expect(ready.sockets()).toBe(2);
});
