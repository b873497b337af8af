import { expect } from "@playwright/test";
import { openFile, putFiles, rowOf, saveButton, tabOf, terminal, test, text, type } from "./ide.ts";

test("arrows move in the tree and in the tabs, each of which is one tab stop", async ({ page, ready }) => {
  const { keyboard } = page;
  await rowOf(page, "bin").focus();
  await keyboard.press("ArrowRight");
  await expect(rowOf(page, "bin")).toHaveAttribute("aria-expanded", "true");
  await expect(rowOf(page, "weather.sh")).toHaveAttribute("aria-level", "2");
  await keyboard.press("ArrowRight");
  await expect(rowOf(page, "weather.sh")).toBeFocused();
  await keyboard.press("ArrowLeft");
  await expect(rowOf(page, "bin")).toBeFocused();
  await keyboard.press("ArrowLeft");
  await expect(rowOf(page, "bin")).toHaveAttribute("aria-expanded", "false");
  await expect(rowOf(page, "weather.sh")).toHaveCount(0);
  await keyboard.press("End");
  await expect(rowOf(page, "README.md")).toBeFocused();
  await keyboard.press("Home");
  await keyboard.press("ArrowDown");
  await expect(rowOf(page, "notes")).toBeFocused();
  await keyboard.type("pa");
  await expect(rowOf(page, "package.json")).toBeFocused();
  await expect(page.locator('#tree [tabindex="0"]')).toHaveCount(1);
  await keyboard.press("Enter");
  await expect(tabOf(page, "package.json")).toHaveAttribute("aria-selected", "true");
  await expect(text(page)).toBeFocused();

  // Escape and Tab leave the text.
  await keyboard.press("Escape");
  await keyboard.press("Shift+Tab");
  await expect(text(page)).not.toBeFocused();
  await tabOf(page, "package.json").focus();
  await keyboard.press("ArrowLeft");
  await expect(tabOf(page, "README.md")).toBeFocused();
  await expect(text(page)).toContainText("A small workspace");
  await keyboard.press("ArrowLeft");
  await expect(tabOf(page, "package.json")).toBeFocused();
  await keyboard.press("Home");
  await expect(tabOf(page, "README.md")).toBeFocused();
  await keyboard.press("Delete");
  await expect(tabOf(page, "README.md")).toHaveCount(0);
  await expect(tabOf(page, "package.json")).toBeFocused();
  await expect(page.locator('#tabs [tabindex="0"]')).toHaveCount(1);
  expect(ready.sockets()).toBe(1);
});

test("finds and replaces in the text, and copies between editor and terminal", async ({
  context,
  ide,
  page,
  ready,
}) => {
  const { keyboard } = page;
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await putFiles(page, ide, { "words.txt": "echo one-$((40 + 2))\none\n" });
  await openFile(page, "words.txt");
  await keyboard.press("Control+f");
  await keyboard.type("one");
  await expect(page.locator(".cm-searchMatch")).toHaveCount(2);
  await page.getByRole("textbox", { name: "Replace" }).fill("two");
  await page.getByRole("button", { name: "replace all" }).click();
  await keyboard.press("Escape");
  await expect(page.locator(".cm-search")).toHaveCount(0);
  await expect(text(page)).toHaveText("echo two-$((40 + 2))two");

  await text(page).focus();
  await keyboard.press("Control+Home");
  await keyboard.press("Shift+End");
  await keyboard.press("Control+c");
  await keyboard.press("ArrowRight");
  await keyboard.press("Control+v");
  await expect(text(page)).toContainText("echo two-$((40 + 2))echo two-$((40 + 2))");
  await page.locator("#terminal").click();
  await keyboard.press("Control+Shift+v");
  await keyboard.press("Enter");
  await expect(terminal(page)).toContainText("two-42");
  expect(ready.sockets()).toBe(1);
});

test("Control+S saves from any pane but the terminal, whose programs need it", async ({ page, ready }) => {
  await openFile(page, "README.md");
  await page.keyboard.type("x");
  await type(page, "stty -ixon; echo re''ady; read -rsn1 key; printf 'code %d.\\n' \"'$key\"");
  await expect(terminal(page)).toContainText("ready");
  await page.keyboard.press("Control+s");
  await expect(terminal(page)).toContainText("code 19.");
  await expect(saveButton(page)).toBeEnabled();
  await rowOf(page, "bin").focus();
  await page.keyboard.press("Control+s");
  await expect(saveButton(page)).toBeDisabled();
  expect(ready.sockets()).toBe(1);
});
