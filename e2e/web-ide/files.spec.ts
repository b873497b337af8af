import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "@playwright/test";
import { runCommand } from "../support/command.ts";
import {
  dialog,
  openFile,
  putFiles,
  rowOf,
  save,
  saveButton,
  tabOf,
  terminal,
  test,
  text,
  type,
} from "./ide.ts";

test("opens the README, and tree, editor and terminal share one connection", async ({ ide, page, ready }) => {
  await expect(tabOf(page, "README.md")).toHaveAttribute("aria-selected", "true");
  await expect(text(page)).toContainText("A small workspace");
  await rowOf(page, "src").click();
  await rowOf(page, "primes.js").click();
  await expect(text(page)).toContainText("Prints the primes");
  await page.locator(".cm-content").click();
  await page.keyboard.press("Control+Home");
  await page.keyboard.type('console.log("edited");\n');
  await expect(page.locator(".tab[data-changed]")).toHaveCount(1);
  await saveButton(page).click();
  await expect(page.locator(".tab[data-changed]")).toHaveCount(0);
  expect(readFileSync(join(ide.root, "src/primes.js"), "utf8")).toMatch(/^console\.log\("edited"\);\n/);

  await type(page, "node src/primes.js 40");
  await expect(terminal(page)).toContainText("edited");
  await expect(terminal(page)).toContainText("12 primes up to 40");
  expect(ready.sockets()).toBe(1);
});

test("makes, renames and deletes files and folders", async ({ ide, page, ready }) => {
  await page.getByRole("button", { name: "New file" }).click();
  await page.keyboard.type("hello.txt\n");
  await expect(rowOf(page, "hello.txt")).toHaveAttribute("aria-selected", "true");
  await page.locator(".cm-content").click();
  await page.keyboard.type("Grüße");
  await save(page);
  expect(readFileSync(join(ide.root, "hello.txt"), "utf8")).toBe("Grüße");

  // The open tab moves with the file.
  await rowOf(page, "hello.txt").focus();
  await page.keyboard.press("F2");
  await page.keyboard.type("renamed\n");
  await expect(rowOf(page, "renamed.txt")).toBeFocused();
  await expect(tabOf(page, "renamed.txt")).toBeVisible();
  await page.locator(".cm-content").click();
  await page.keyboard.type("!");
  await save(page);
  expect(readFileSync(join(ide.root, "renamed.txt"), "utf8")).toBe("Grüße!");
  expect(existsSync(join(ide.root, "hello.txt"))).toBe(false);

  // Never over another file.
  await rowOf(page, "renamed.txt").focus();
  await page.keyboard.press("F2");
  await page.keyboard.press("Control+a");
  await page.keyboard.type("README.md\n");
  await expect(page.getByRole("alert").filter({ hasText: "there is already README.md" })).toBeVisible();

  await page.getByRole("button", { name: "New folder" }).click();
  await page.keyboard.type("empty\n");
  await expect(rowOf(page, "empty")).toBeFocused();
  expect(statSync(join(ide.root, "empty")).isDirectory()).toBe(true);
  await page.keyboard.press("Delete");
  await dialog(page).getByRole("button", { name: "Cancel" }).click();
  expect(existsSync(join(ide.root, "empty"))).toBe(true);
  await page.keyboard.press("Delete");
  await dialog(page).getByRole("button", { name: "Delete" }).click();
  await expect(rowOf(page, "empty")).toHaveCount(0);
  expect(existsSync(join(ide.root, "empty"))).toBe(false);

  await rowOf(page, "renamed.txt").focus();
  await page.getByRole("button", { name: /^Delete/ }).click();
  await dialog(page).getByRole("button", { name: "Delete" }).click();
  await expect(tabOf(page, "renamed.txt")).toHaveCount(0);
  expect(ready.sockets()).toBe(1);
});

test("a large directory, a deep one, a long name and a link are shown", async ({ ide, page, ready }) => {
  // In another process: this one has the gateway, which must not stand still.
  const make = "mkdir large && cd large && seq -f entry-%g 0 2499 | xargs touch";
  await runCommand(["sh", "-c", make], { cwd: ide.root, timeoutMs: 30_000 });
  const long = `${"long-".repeat(40)}.txt`;
  mkdirSync(join(ide.root, "deep", ..."abcdefghijklmnopqrst"), { recursive: true });
  symlinkSync("src", join(ide.root, "sources"));
  await putFiles(page, ide, { [long]: "" });

  // Looked up by path: names of a thousand rows take the runner seconds.
  const at = (path: string) => page.locator(`#tree [data-path="${join(ide.root, path)}"]`);
  const more = page.locator('#tree [data-kind="more"]');
  await at("large").click();
  await expect(at("large/entry-499")).toBeVisible();
  await expect(at("large/entry-500")).toHaveCount(0);
  await expect(more).toHaveText("Show more (2,000 left)");
  await more.click();
  await expect(at("large/entry-500")).toBeFocused();
  await expect(more).toHaveText("Show more (1,500 left)");
  await at("large").click();
  await expect(at("large/entry-0")).toHaveCount(0);

  const root = page.locator("#tree");
  await rowOf(page, "deep").click();
  for (const name of "abcdefghijklmnopqrst") await rowOf(page, name).click();
  await expect(rowOf(page, "t")).toHaveAttribute("aria-level", "21");
  // At any depth, some of the name can be scrolled to.
  expect(await root.evaluate((tree) => tree.scrollWidth > tree.clientWidth)).toBe(true);
  // The keyboard scrolls there.
  await rowOf(page, "s").focus();
  await page.keyboard.press("ArrowDown");
  await expect(rowOf(page, "t")).toBeFocused();
  await expect(rowOf(page, "t").locator(".row-name")).toBeInViewport({ ratio: 0.9 });
  await expect(rowOf(page, long)).toHaveAttribute("title", join(ide.root, long));
  await openFile(page, long);
  const box = await tabOf(page, "long-").boundingBox();
  expect(box?.width).toBeLessThanOrEqual(220);

  await page.getByRole("treeitem", { name: "sources" }).click();
  await expect(rowOf(page, "sieve.js")).toBeVisible();
  expect(ready.sockets()).toBe(1);
});

test("a directory that can't be read says why in its place, and can be tried again", async ({
  ide,
  page,
  ready,
}) => {
  const gone = join(ide.root, "notes");
  await expect(rowOf(page, "notes")).toBeVisible();
  rmSync(gone, { recursive: true });
  await rowOf(page, "notes").click();
  const error = page.locator('.row[data-kind="error"]');
  await expect(error).toContainText(/No such file/);
  mkdirSync(gone);
  writeFileSync(join(gone, "back.txt"), "");
  await error.focus();
  await page.keyboard.press("Enter");
  await expect(rowOf(page, "back.txt")).toBeVisible();
  await expect(error).toHaveCount(0);
  expect(ready.sockets()).toBe(1);
});

test("asks how much of a large file to read", async ({ ide, page, ready }) => {
  const size = 6 * 1024 * 1024;
  await putFiles(page, ide, { "large.log": "grün ".repeat(size / 6) });
  await rowOf(page, "large.log").click();
  await expect(dialog(page)).toHaveAccessibleName("large.log has 6 MiB");
  await page.keyboard.press("Escape");
  await expect(tabOf(page, "large.log")).toHaveCount(0);

  await rowOf(page, "large.log").click();
  await dialog(page).getByRole("button", { name: "Show the first 1 MiB" }).click();
  await expect(page.locator("#banner")).toContainText("Only its first 1 MiB is shown");
  await expect(text(page)).toHaveAttribute("aria-readonly", "true");
  await expect(page.locator("#status-encoding")).toHaveText("UTF-8");
  expect(ready.sockets()).toBe(1);
});

test("closing a changed file asks, and a tab with a long list scrolls to the selected one", async ({
  ide,
  page,
  ready,
}) => {
  const names = Array.from({ length: 12 }, (_, n) => `a-file-with-a-name-${n}.txt`);
  await putFiles(page, ide, Object.fromEntries(names.map((name) => [name, `${name}\n`])));
  for (const name of names) await openFile(page, name);
  await expect(tabOf(page, "a-file-with-a-name-11.txt")).toBeInViewport();
  await expect(tabOf(page, "README.md")).not.toBeInViewport();
  await page.keyboard.type("x");
  await tabOf(page, "a-file-with-a-name-11.txt").focus();
  await page.keyboard.press("Delete");
  await page.keyboard.press("Escape");
  await expect(tabOf(page, "a-file-with-a-name-11.txt")).toHaveCount(1);
  await page.keyboard.press("Delete");
  await dialog(page).getByRole("button", { name: "Save" }).click();
  await expect(tabOf(page, "a-file-with-a-name-11.txt")).toHaveCount(0);
  expect(readFileSync(join(ide.root, names[11] ?? ""), "utf8")).toBe(`x${names[11]}\n`);
  await expect(tabOf(page, "a-file-with-a-name-10.txt")).toBeFocused();
  expect(ready.sockets()).toBe(1);
});
