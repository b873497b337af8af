import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";
import { Origin } from "../../test/support/origin.ts";
import { badge, openFile, putFiles, rowOf, saveButton, test, text } from "./ide.ts";

/** Fails with the rules that the page breaks in its present state, and the elements that break them. */
async function expectNoFindings(page: Page, state: string): Promise<void> {
  // In this page instead of a second one for the results, which takes three times as long.
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  const found = violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target}: ${failureSummary}`),
  );
  expect(found, state).toEqual([]);
}

const PHONE = { width: 390, height: 844 };

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing in any state, in ${colorScheme} colours`, async ({
    execServer,
    ide,
    page,
    ready,
  }) => {
    await page.emulateMedia({ colorScheme });
    await putFiles(page, ide, {
      "binary.bin": new Uint8Array([0, 1, 2, 3, 255]),
      "a.css": ":root { color: red; }",
    });
    await expect(badge(page)).toHaveText(/^Connected/);
    await expectNoFindings(page, "connected");

    await rowOf(page, "src").click();
    await rowOf(page, "sieve.js").click();
    await expect(text(page)).toContainText("Eratosthenes");
    await text(page).focus();
    await page.keyboard.type("x");
    await page.keyboard.press("Control+f");
    await page.keyboard.type("composite");
    await expectNoFindings(page, "a changed file, and the search");
    await page.keyboard.press("Escape");

    await page.keyboard.press("Control+p");
    await page.keyboard.type("s");
    await expect(page.getByRole("option").first()).toBeVisible();
    await expectNoFindings(page, "palette");
    await page.keyboard.press("Escape");
    await page.keyboard.press("F1");
    await expectNoFindings(page, "keyboard dialog");
    await page.keyboard.press("Escape");

    writeFileSync(join(ide.root, "src/sieve.js"), "// theirs\n");
    await page.keyboard.press("Control+s");
    await expect(page.getByRole("alertdialog")).toBeVisible();
    await expectNoFindings(page, "a question");
    await page.keyboard.press("Escape");
    await page.evaluate(() => dispatchEvent(new Event("focus")));
    await expect(page.locator("#banner")).toContainText("changed on the server");
    await expectNoFindings(page, "a warning");

    await rowOf(page, "binary.bin").click();
    await expect(page.locator("#banner")).toContainText("binary");
    await expectNoFindings(page, "a binary file");
    await page.emulateMedia({ colorScheme, forcedColors: "active" });
    await page.keyboard.press("Control+p");
    await page.keyboard.type("s");
    await expect(page.getByRole("option").first()).toBeVisible();
    await expectNoFindings(page, "forced colours, and the palette");
    await page.keyboard.press("Escape");
    await page.emulateMedia({ colorScheme, forcedColors: "none" });

    await page.locator("#events summary").click();
    await expect(page.locator("#badge-changes li").first()).toBeVisible();
    await expectNoFindings(page, "the list of events");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Open port" }).click();
    await expectNoFindings(page, "a preview without a port");
    await using site = await Origin.start((response) => {
      response.writeHead(200, { "content-type": "text/html" });
      response.end('<!doctype html><html lang="en"><title>A site</title><main><h1>A site</h1></main>');
    });
    await page.keyboard.type(`${new URL(site.url).port}\n`);
    await expect(page.frameLocator("#preview-host iframe").getByRole("heading")).toBeVisible();
    await expectNoFindings(page, "a preview");

    await execServer.kill("SIGKILL");
    await expect(badge(page)).toHaveText(/Disconnected/);
    await rowOf(page, "notes").click();
    await expect(page.locator('.row[data-kind="error"]')).toBeVisible();
    await expectNoFindings(page, "killed");
    expect(ready.sockets()).toBe(2);
  });
}

test("axe finds nothing on a phone, nor without a gateway", async ({ ide, page }) => {
  await page.setViewportSize(PHONE);
  await page.goto(ide.url);
  await page.locator("[data-show=files]").click();
  await page.getByRole("button", { name: "New file" }).click();
  await expectNoFindings(page, "files, and the name of a new one");
  await page.keyboard.press("Escape");
  await openFile(page, "README.md");
  await page.keyboard.type("x");
  await expect(saveButton(page)).toBeEnabled();
  await expectNoFindings(page, "editor");
  await page.keyboard.press("Control+p");
  await expect(page.getByRole("option").first()).toBeVisible();
  await expectNoFindings(page, "palette");
  await page.keyboard.press("Escape");
  await page.locator("[data-show=terminal]").click();
  await expectNoFindings(page, "terminal");
  await page.locator("[data-show=editor]").click();
  await ide.close();
  await expect(badge(page)).toHaveText(/Disconnected/);
  await page.keyboard.press("Control+s");
  await expect(page.locator("#banner")).toContainText("Not saved");
  await expectNoFindings(page, "gateway down");
});
