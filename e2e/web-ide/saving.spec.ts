import {
  linkSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, type Page } from "@playwright/test";
import { dialog, type Ide, openFile, putFiles, save, saveButton, tabOf, test, text } from "./ide.ts";

const bytesOf = (ide: Ide, name: string): Buffer => readFileSync(join(ide.root, name));
const drafts = (ide: Ide): string[] => readdirSync(ide.root).filter((name) => name.endsWith(".tmp"));
const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");

async function answer(page: Page, title: RegExp, label: string): Promise<void> {
  await expect(dialog(page)).toHaveAccessibleName(title);
  await dialog(page).getByRole("button", { name: label, exact: true }).click();
  await expect(dialog(page)).toBeHidden();
}

test("what is not UTF-8 is shown read-only, and keeps its bytes", async ({ ide, page, ready }) => {
  const files = {
    "binary.bin": Buffer.from([0x89, 0x50, 0, 0xff, 10, 13]),
    "latin1.txt": latin1("Gr\xfc\xdfe\r\n"),
    "utf16.txt": Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from("Grüße\n", "utf16le")]),
  };
  await putFiles(page, ide, files);
  const shown = { "binary.bin": "00000000  89 50 00 ff 0a 0d", "latin1.txt": "Grüße", "utf16.txt": "Grüße" };
  for (const [name, expected] of Object.entries(shown)) {
    await openFile(page, name);
    await expect(text(page)).toContainText(expected);
    await expect(text(page)).toHaveAttribute("aria-readonly", "true");
    await expect(page.locator("#banner")).toContainText(/binary|not UTF-8/);
    await page.keyboard.type("x");
    await page.keyboard.press("Control+s");
    await expect(saveButton(page)).toBeDisabled();
  }
  await expect(page.locator(".tab[data-changed]")).toHaveCount(0);
  for (const [name, bytes] of Object.entries(files)) expect(bytesOf(ide, name)).toEqual(bytes);
  expect(ready.sockets()).toBe(1);
});

test("an edit changes only its own bytes", async ({ ide, page, ready }) => {
  await putFiles(page, ide, {
    "bom.txt": "\u{feff}one\ntwo\n",
    "crlf.txt": "one\r\ntwo\r\n",
    "mixed.txt": "one\r\ntwo\nthree\rfour\r\n\r\nsix",
  });
  for (const name of ["bom.txt", "crlf.txt"]) {
    const before = bytesOf(ide, name).toString();
    await openFile(page, name);
    await page.keyboard.type("zero\n");
    await save(page);
    const end = name === "bom.txt" ? "\n" : "\r\n";
    expect(bytesOf(ide, name).toString()).toBe(before.replace("one", `zero${end}one`));
  }

  await openFile(page, "mixed.txt");
  await expect(page.locator("#status-lines")).toHaveText("Mixed line ends");
  await page.keyboard.type("X");
  await save(page);
  expect(bytesOf(ide, "mixed.txt").toString()).toBe("Xone\r\ntwo\nthree\rfour\r\n\r\nsix");
  // Removes the line feed behind "two", and brings it back.
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("End");
  await page.keyboard.press("Delete");
  await expect(text(page)).toContainText("twothree");
  await page.keyboard.press("Control+z");
  await expect(saveButton(page)).toBeDisabled();
  await page.keyboard.press("Delete");
  await page.keyboard.press("Control+End");
  await page.keyboard.type("!");
  await save(page);
  expect(bytesOf(ide, "mixed.txt").toString()).toBe("Xone\r\ntwothree\rfour\r\n\r\nsix!");
  // A line end of another kind is a change.
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Control+z");
  await save(page);
  expect(bytesOf(ide, "mixed.txt").toString()).toBe("Xone\r\ntwo\nthree\rfour\r\n\r\nsix");
  expect(drafts(ide)).toEqual([]);
  expect(ready.sockets()).toBe(1);
});

test("a saved file keeps its mode and its links", async ({ ide, page, ready }) => {
  const shared = join(ide.root, "package.json");
  await putFiles(page, ide, { "script.sh": "echo 1\n" });
  writeFileSync(join(ide.root, "run.sh"), "echo 2\n", { mode: 0o751 });
  symlinkSync("script.sh", join(ide.root, "link.sh"));
  linkSync(shared, join(ide.root, "second.json"));
  await page.getByRole("button", { name: "Read again" }).click();
  for (const name of ["run.sh", "second.json"]) {
    await openFile(page, name);
    await page.keyboard.type(" ");
    await save(page);
  }
  await page.locator(".row", { hasText: "link.sh" }).click();
  await expect(tabOf(page, "link.sh")).toHaveAttribute("aria-selected", "true");
  await text(page).focus();
  await page.keyboard.press("Control+Home");
  await page.keyboard.type("#");
  await save(page);
  expect(bytesOf(ide, "run.sh").toString()).toBe(" echo 2\n");
  expect(statSync(join(ide.root, "run.sh")).mode & 0o777).toBe(0o751);
  expect(readFileSync(shared, "utf8")).toMatch(/^ \{/);
  expect(statSync(shared).nlink).toBe(2);
  expect(readFileSync(join(ide.root, "script.sh"), "utf8")).toBe("#echo 1\n");
  expect(drafts(ide)).toEqual([]);
  expect(ready.sockets()).toBe(1);
});

test("asks before it overwrites what was changed or deleted underneath", async ({ ide, page, ready }) => {
  const file = join(ide.root, "notes.txt");
  await putFiles(page, ide, { "notes.txt": "first\n" });
  await openFile(page, "notes.txt");
  await page.keyboard.type("mine ");
  // Of the same size and time: only the bytes differ.
  const { atime, mtime } = statSync(file);
  writeFileSync(file, "FIRST\n");
  utimesSync(file, atime, mtime);
  await page.keyboard.press("Control+s");
  await expect(dialog(page)).toHaveAccessibleName(/changed on the server/);
  await page.keyboard.press("Escape");
  expect(readFileSync(file, "utf8")).toBe("FIRST\n");
  await expect(text(page)).toContainText("mine first");

  await page.keyboard.press("Control+s");
  await answer(page, /changed on the server/, "Overwrite");
  await expect(saveButton(page)).toBeDisabled();
  expect(readFileSync(file, "utf8")).toBe("mine first\n");

  await page.keyboard.type("more ");
  writeFileSync(file, "theirs\n");
  await page.keyboard.press("Control+s");
  await answer(page, /changed on the server/, "Reload");
  await expect(text(page)).toHaveText("theirs");
  await expect(saveButton(page)).toBeDisabled();

  await text(page).focus();
  await page.keyboard.type("our ");
  rmSync(file);
  await page.keyboard.press("Control+s");
  await answer(page, /deleted on the server/, "Save it again");
  await expect(saveButton(page)).toBeDisabled();
  expect(readFileSync(file, "utf8")).toMatch(/our/);
  expect(drafts(ide)).toEqual([]);
  expect(ready.sockets()).toBe(1);
});

test("notices a change underneath when the page gets the focus", async ({ ide, page, ready }) => {
  const file = join(ide.root, "notes.txt");
  const focus = () => page.evaluate(() => dispatchEvent(new Event("focus")));
  await putFiles(page, ide, { "notes.txt": "first\n" });
  await openFile(page, "notes.txt");
  writeFileSync(file, "second\n");
  await focus();
  await expect(text(page)).toHaveText("second");
  await expect(saveButton(page)).toBeDisabled();

  await page.keyboard.type("mine ");
  writeFileSync(file, "third\n");
  await focus();
  await expect(page.locator("#banner")).toContainText("changed on the server");
  await expect(text(page)).toHaveText("mine second");
  await page.getByRole("button", { name: "Reload and lose my changes" }).click();
  await expect(text(page)).toHaveText("third");
  await expect(page.locator("#banner")).toBeHidden();

  rmSync(file);
  await focus();
  await expect(page.locator("#banner")).toContainText("deleted on the server");
  await save(page);
  expect(readFileSync(file, "utf8")).toBe("third\n");
  expect(ready.sockets()).toBe(1);
});

test.describe("far away", () => {
  test.use({ roundTripMs: 80 });
  const BIG = `${"0123456789abcdef".repeat(64)}\n`.repeat(3 * 1024);

  test("a server that is killed during a save leaves the whole old file, and a retry saves", async ({
    execServer,
    ide,
    page,
    ready,
  }) => {
    await putFiles(page, ide, { "big.txt": BIG });
    // Asked with each frame: the progress is soon over.
    const progress = page.waitForFunction(() =>
      document.querySelector("#transfer-text")?.textContent?.includes(" of 3 MiB"),
    );
    await openFile(page, "big.txt");
    await progress;
    await page.keyboard.type("new ");
    await page.keyboard.press("Control+s");
    // A part of it has arrived.
    const sizeOf = (name: string): number => statSync(join(ide.root, name)).size;
    const arrived = (): boolean => drafts(ide).some((name) => sizeOf(name) % BIG.length > 0);
    await expect.poll(arrived, { intervals: [1] }).toBe(true);
    await execServer.kill("SIGKILL");
    // The loss can come during a call of the save, or between two of them.
    const lost = /^\s*Not saved: the (connection was lost|server can't be reached)/;
    await expect(page.locator("#banner")).toContainText(lost);
    await expect(tabOf(page, "big.txt")).toHaveAccessibleName(/not saved/);
    expect(bytesOf(ide, "big.txt").equals(Buffer.from(BIG))).toBe(true);

    const dials = ready.sockets();
    await page.getByRole("button", { name: "Try again" }).click();
    await expect.poll(() => ready.sockets()).toBe(dials + 1);
    await expect(page.locator("#banner")).toContainText("can't be reached");
    await expect(page.getByRole("button", { name: "Try again" })).toBeFocused();
    await execServer.restart();
    await page.keyboard.press("Enter");
    await expect(saveButton(page)).toBeDisabled();
    await expect(text(page)).toBeFocused();
    expect(bytesOf(ide, "big.txt").equals(Buffer.from(`new ${BIG}`))).toBe(true);
    expect(drafts(ide)).toEqual([]);
    expect(ready.sockets()).toBe(dials + 2);
  });

  test("saves in flight never put an older text over a newer one", async ({ ide, page, ready }) => {
    await putFiles(page, ide, { "a.txt": "a\n", "b.txt": "b\n", "big.txt": BIG });
    await openFile(page, "a.txt");
    await page.keyboard.type("1");
    await page.keyboard.press("Control+s");
    await page.keyboard.type("2");
    await page.keyboard.press("Control+s");
    await page.keyboard.type("3");
    await page.keyboard.press("Control+s");
    await page.keyboard.type("4");
    // Another file meanwhile.
    await openFile(page, "b.txt");
    await page.keyboard.type("5");
    await save(page);
    expect(bytesOf(ide, "b.txt").toString()).toBe("5b\n");
    await expect(tabOf(page, "a.txt")).toHaveAttribute("aria-busy", "false");
    // What was typed after the last request may be part of its save.
    expect(["123a\n", "1234a\n"]).toContain(bytesOf(ide, "a.txt").toString());
    await tabOf(page, "a.txt").click();
    await save(page);
    expect(bytesOf(ide, "a.txt").toString()).toBe("1234a\n");

    // Escape cancels a save, and the file stays as it was.
    await openFile(page, "big.txt");
    await page.keyboard.type("x");
    await page.keyboard.press("Control+s");
    await expect.poll(() => drafts(ide), { intervals: [1] }).toHaveLength(1);
    await page.keyboard.press("Escape");
    await expect(page.locator("#banner")).toContainText("Not saved: it was cancelled");
    await expect(page.locator("#transfer")).toBeHidden();
    await expect.poll(() => drafts(ide)).toEqual([]);
    expect(bytesOf(ide, "big.txt").equals(Buffer.from(BIG))).toBe(true);
    expect(ready.sockets()).toBe(1);
  });
});
