import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "@playwright/test";
import { rowOf, terminal, test, type } from "./ide.ts";

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
