import { expect, type Locator, type Page } from "@playwright/test";
import { terminal, test } from "./ide.ts";

const pane = (page: Page, name: string): Locator => page.locator(`.pane.${name}`);

async function boxOf(locator: Locator): Promise<{ x: number; y: number; width: number; height: number }> {
  const box = await locator.boundingBox();
  if (!box) throw new Error("expected a visible element");
  return box;
}

async function drag(page: Page, splitter: string, x: number, y: number): Promise<void> {
  const box = await boxOf(page.locator(splitter));
  const [startX, startY] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(startX, startY);
  await page.mouse.down();
  await page.mouse.move(startX + x, startY + y, { steps: 4 });
  await page.mouse.up();
}

test("dragged panes leave room for the others, also when the window gets small", async ({ page, ready }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole("button", { name: "Open port" }).click();
  const before = await boxOf(pane(page, "processes"));
  await drag(page, "#processes-splitter", -100, 0);
  expect((await boxOf(pane(page, "processes"))).width).toBeCloseTo(before.width + 100, 0);

  await drag(page, "#files-splitter", 2_000, 0);
  await drag(page, "#preview-splitter", -2_000, 0);
  await drag(page, "#processes-splitter", -2_000, 0);
  await drag(page, "#splitter", 0, -2_000);
  for (const size of [
    { width: 1440, height: 900 },
    { width: 760, height: 480 },
  ]) {
    await page.setViewportSize(size);
    for (const name of ["files", "editor", "preview", "terminal", "processes"]) {
      const { x, y, width, height } = await boxOf(pane(page, name));
      expect.soft(width, `${name} of ${size.width}`).toBeGreaterThanOrEqual(160);
      expect.soft(height, `${name} of ${size.height}`).toBeGreaterThanOrEqual(90);
      expect.soft(x + width, `${name} of ${size.width}`).toBeLessThanOrEqual(size.width);
      expect.soft(y + height, `${name} of ${size.height}`).toBeLessThanOrEqual(size.height);
    }
  }
  // The wider window has the dragged size again.
  await page.setViewportSize({ width: 1440, height: 900 });
  expect((await boxOf(pane(page, "files"))).width).toBeGreaterThan(600);
  await page.locator("#files-splitter").dblclick();
  expect((await boxOf(pane(page, "files"))).width).toBe(230);
  expect(ready.sockets()).toBe(1);
});

test("the arrow keys, Home and End move a splitter, which tells its value", async ({ page, ready }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  const splitter = page.getByRole("separator", { name: "Width of the processes" });
  const width = async (): Promise<number> => (await boxOf(pane(page, "processes"))).width;
  await splitter.focus();
  const before = await width();
  await page.keyboard.press("ArrowLeft");
  expect(await width()).toBeCloseTo(before + 24, 0);
  await page.keyboard.press("Home");
  expect(await width()).toBe(220);
  await expect(splitter).toHaveAttribute("aria-valuenow", "19");
  await page.keyboard.press("End");
  expect((await boxOf(pane(page, "terminal"))).width).toBe(240);
  expect(ready.sockets()).toBe(1);
});

for (const [name, size] of [
  ["a phone", { width: 390, height: 844 }],
  ["a phone on its side", { width: 844, height: 390 }],
  ["a page of twice the size", { width: 720, height: 450 }],
] as const)
  test(`${name} shows one view at a time, and reaches all of them`, async ({ page, ready }) => {
    await page.setViewportSize(size);
    const shown = async (): Promise<string[]> => {
      const visible = await page.locator(".pane:visible").all();
      return Promise.all(visible.map(async (each) => (await each.getAttribute("aria-label")) ?? ""));
    };
    expect(await shown()).toEqual(["Terminal"]);
    for (const [view, label] of [
      ["Files", "Files"],
      ["Editor", "Editor"],
      ["Preview", "Preview"],
      ["Connection", "Processes"],
      ["Terminal", "Terminal"],
    ] as const) {
      const button = page.getByRole("navigation", { name: "Views" }).getByRole("button", { name: view });
      await button.click();
      expect(await shown()).toEqual([label]);
      await expect(button).toHaveAttribute("aria-current", "true");
      expect((await boxOf(page.locator(".pane:visible"))).height).toBeGreaterThanOrEqual(200);
      expect((await boxOf(button)).height).toBeGreaterThanOrEqual(44);
    }
    // Nothing is wider than the screen, and the terminal has its size.
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(size.width);
    for (const name of [
      "100 callers",
      "Kill server",
      "Start server",
      "Freeze",
      "Open port",
      "New terminal",
    ]) {
      const { x, width } = await boxOf(page.getByRole("button", { name }).first());
      expect(x + width).toBeLessThanOrEqual(size.width);
    }
    await expect(terminal(page)).toContainText(/[#$]/);
    expect(ready.sockets()).toBe(1);
  });
