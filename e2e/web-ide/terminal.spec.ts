import { expect } from "@playwright/test";
import { terminal, test, type } from "./ide.ts";

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

test("shows the exit code of a shell, and a button for a new one", async ({ page, ready }) => {
  await type(page, "exit 3");
  await expect(page.locator("#terminal-ended")).toContainText("The shell ended with code 3.");
  await page.locator("#replace-terminal").click();
  await type(page, "echo $((40 + 2))nd");
  await expect(terminal(page)).toContainText("42nd");
  expect(ready.sockets()).toBe(1);
});
