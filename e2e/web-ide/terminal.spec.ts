import { expect, type Page } from "@playwright/test";
import { badge, session, terminal, test, type } from "./ide.ts";

const tabs = (page: Page) => page.getByRole("tablist", { name: "Terminals" }).getByRole("tab");
const dialog = (page: Page) => page.getByRole("alertdialog");
const answer = (page: Page, name: string) => dialog(page).getByRole("button", { name }).click();

async function openSecond(page: Page): Promise<void> {
  await page.getByRole("button", { name: "New terminal" }).first().click();
  await expect(tabs(page)).toHaveCount(2);
  await expect(terminal(page)).toContainText(/[#$]/);
}

test("the terminal is a tty with the size of its pane", async ({ page, ready }) => {
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

test("a lost terminal keeps its text, and a new shell goes on below it", async ({ page, ready }) => {
  await type(page, "echo kept-$((20 + 3))");
  await expect(terminal(page)).toContainText("kept-23");
  await openSecond(page);
  await page.getByRole("button", { name: "Kill server" }).click();
  await expect(badge(page)).toHaveText("Disconnected");
  await tabs(page).first().click();
  await expect(terminal(page)).toContainText("kept-23");
  await expect(terminal(page)).toContainText("Connection lost");
  await page.getByRole("button", { name: "Start server" }).click();
  await expect(page.getByRole("button", { name: "Kill server" })).toBeEnabled();
  await page.locator("#replace-terminal").click();
  await session(page);
  await type(page, "echo new-$((20 + 4))");
  await expect(terminal(page)).toContainText("new-24");
  await expect(terminal(page)).toContainText("kept-23");
  // The other one is as lost as before.
  await tabs(page).last().click();
  await expect(page.locator("#terminal-ended")).toContainText("Connection lost");
  expect(ready.sockets()).toBe(2);
});

test("asks before it closes a terminal with a program, and ends that only after a yes", async ({
  page,
  ready,
}) => {
  await openSecond(page);
  await type(page, "sh bin/weather.sh");
  await expect(terminal(page)).toContainText("12°C");
  const close = page.locator(".terminal .tab[data-current] .tab-close");
  await close.click();
  await expect(dialog(page)).toContainText("sh bin/weather.sh");
  await page.keyboard.press("Escape");
  await expect(dialog(page)).toBeHidden();
  await expect(terminal(page)).toContainText("17°C");
  await close.click();
  await answer(page, "Keep it open");
  await expect(tabs(page)).toHaveCount(2);
  await close.click();
  await answer(page, "End and close");
  await expect(tabs(page)).toHaveText(["Terminal 1"]);
  await expect(page.locator(".process[data-state=running]")).toHaveCount(1);
  expect(ready.sockets()).toBe(1);
});

test("closes a shell that waits for input without a question", async ({ page, ready }) => {
  await page.locator(".terminal .tab-close").click();
  await expect(tabs(page)).toHaveCount(0);
  await expect(dialog(page)).toBeHidden();
  await expect(page.getByRole("button", { name: "New terminal" })).toBeFocused();
  await expect(page.getByText("No terminal is open.")).toBeVisible();
  await expect(page.locator(".process[data-state=running]")).toHaveCount(0);
  await page.keyboard.press("Enter");
  await expect(terminal(page)).toContainText(/[#$]/);
  expect(ready.sockets()).toBe(1);
});

test("F6 leaves the terminal; arrows, Home and End select tabs, Delete closes one", async ({
  page,
  ready,
}) => {
  await openSecond(page);
  await page.keyboard.type("x");
  await expect(terminal(page)).toContainText(/[#$] x/);
  const command = page.getByRole("textbox", { name: "Command" });
  await page.keyboard.press("F6");
  await expect(command).toBeFocused();
  await page.keyboard.press("Shift+F6");
  await page.keyboard.type("y");
  await expect(terminal(page)).toContainText(/[#$] xy/);

  await tabs(page).last().focus();
  await page.keyboard.press("ArrowRight");
  await expect(tabs(page).first()).toBeFocused();
  await expect(tabs(page).first()).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("End");
  await expect(tabs(page).last()).toBeFocused();
  await page.keyboard.press("Home");
  await page.keyboard.press("Delete");
  await expect(tabs(page)).toHaveText(["Terminal 2"]);
  await expect(tabs(page)).toBeFocused();
  expect(ready.sockets()).toBe(1);
});

test("a tab has the title that its program sets", async ({ page, ready }) => {
  const title = `a title of ${"many ".repeat(20)}words`;
  await type(page, `printf '\\033]0;${title}\\007'; sh bin/weather.sh`);
  await expect(tabs(page)).toHaveText([title]);
  await expect(page.locator(".process-name")).toHaveText([title]);
  expect((await tabs(page).boundingBox())?.width).toBeLessThan(240);
  expect(ready.sockets()).toBe(1);
});

test("Ctrl+Shift+C copies the selection, Ctrl+Shift+V pastes", async ({ context, page, ready }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await type(page, "clear; echo copied-$((40 + 2))");
  const line = terminal(page)
    .locator("> div")
    .filter({ hasText: /^copied-42/ });
  await line.waitFor();
  const { x, y } = (await line.boundingBox()) as { x: number; y: number };
  await page.mouse.dblclick(x + 20, y + 8);
  await page.keyboard.press("Control+Shift+C");
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe("copied-42");
  await page.evaluate(() => navigator.clipboard.writeText("echo pasted-$((1 + 1))"));
  await page.keyboard.press("Control+Shift+V");
  await page.keyboard.press("Enter");
  await expect(terminal(page)).toContainText("pasted-2");
  expect(ready.sockets()).toBe(1);
});
