import { expect, type Page } from "@playwright/test";
import { badge, terminal, test } from "./ide.ts";

const processes = (page: Page) => page.locator(".process");
const output = (page: Page) => page.locator("#process-output");

async function run(page: Page, command: string): Promise<void> {
  const field = page.getByRole("textbox", { name: "Command" });
  await field.fill(command);
  await field.press("Enter");
  await expect(processes(page).first().locator(".process-name")).toHaveText(command);
}

test("lists what runs on the page's client with pid, age, output and exit code", async ({ page, ready }) => {
  await expect(processes(page)).toHaveText([/^Terminal 1pid \d+ · \d s/]);
  await run(page, "echo out; echo error >&2; pwd; exit 3");
  await expect(processes(page).first()).toHaveText(/exit 3 · pid \d+ · \d s/);
  await expect(processes(page).first()).toHaveAttribute("data-state", "failed");
  // Between the two streams of a process there is no order.
  for (const line of ["out\n", "error\n", "/web-ide-"]) await expect(output(page)).toContainText(line);
  await run(page, "sh bin/weather.sh | head -1");
  await expect(processes(page).first()).toHaveAttribute("data-state", "done", { timeout: 10_000 });
  await expect(output(page)).toHaveText(/^\d\d:\d\d:\d\d {2}12°C\n$/);
  await processes(page).nth(1).getByRole("button").first().click();
  await expect(output(page)).toContainText("error");
  await page.getByRole("button", { name: "Clear ended" }).click();
  await expect(processes(page)).toHaveCount(1);
  await expect(output(page)).toBeHidden();
  expect(ready.sockets()).toBe(1);
});

test("shows the throughput while bulk output passes, and all of it at the end", async ({ page, ready }) => {
  await run(page, "yes | head -c 50000000; sleep 2");
  await expect(processes(page).first().locator(".process-speed")).toHaveText(/^[1-9][\d.]* [kM]B\/s$/);
  await expect(processes(page).first().locator("polyline")).toHaveAttribute("points", /\d,/);
  await expect(processes(page).first().locator(".process-speed")).toHaveText("50 MB", { timeout: 40_000 });
  await expect(output(page)).toContainText("y\ny\ny\n");
  expect((await output(page).innerText()).length).toBeLessThan(20_000);
  // Nothing else has waited.
  await page.locator("#terminal").click();
  await page.keyboard.type("echo $((6 * 7))nd\n");
  await expect(terminal(page)).toContainText("42nd");
  expect(ready.sockets()).toBe(1);
});

test("interrupts and terminates a process", async ({ page, ready }) => {
  await run(page, "trap 'echo interrupted; exit 5' INT; echo trapped; while :; do sleep 0.1; done");
  await expect(output(page)).toContainText("trapped");
  await page.getByRole("button", { name: /^Interrupt trap/ }).click();
  await expect(processes(page).first()).toContainText("exit 5");
  await expect(output(page)).toContainText("interrupted");
  await run(page, "sleep 60");
  await page.getByRole("button", { name: "Terminate sleep 60" }).click();
  await expect(processes(page).first()).toHaveAttribute("data-state", "failed");
  await expect(page.getByRole("button", { name: "Terminate sleep 60" })).toBeHidden();
  expect(ready.sockets()).toBe(1);
});

test("processes are lost with their connection, and what they have put out stays", async ({
  page,
  ready,
}) => {
  await run(page, "echo first; sleep 60");
  await expect(output(page)).toHaveText("first\n");
  await page.getByRole("button", { name: "Kill server" }).click();
  await expect(badge(page)).toHaveText("Disconnected");
  await expect(processes(page)).toHaveText([/lost · pid/, /lost · pid/]);
  await expect(output(page)).toHaveText("first\n");
  expect(ready.sockets()).toBe(1);
});
