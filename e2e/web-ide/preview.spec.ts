import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, type Page } from "@playwright/test";
import { test as base, session } from "./ide.ts";

/** A server on the exec-server's machine, whose page names its path and a version. */
class Site {
  version = 1;
  #server: Server | undefined;
  #port = 0;

  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      response.setHeader("content-type", "text/html");
      response.end(`<!doctype html><p>path ${request.url}, version ${this.version}`);
    });
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  }
}

const test = base.extend<{ site: Site }>({
  // biome-ignore lint/correctness/noEmptyPattern: the runner reads the parameter's names.
  site: async ({}, use) => {
    const site = new Site();
    await site.start();
    await use(site);
    await site.stop();
  },
});

const content = (page: Page) => page.frameLocator("#preview-host iframe").locator("body");
const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();

async function openPort(page: Page, address: string): Promise<void> {
  await press(page, "Open port");
  await expect(page.getByRole("textbox", { name: "Port and path" })).toBeFocused();
  await page.keyboard.type(`${address}\n`);
}

test("shows a port with a path beside the editor, and reloads it", async ({ page, ready, site }) => {
  await openPort(page, String(site.port));
  await expect(content(page)).toHaveText("path /, version 1");
  await page.getByRole("textbox", { name: "Port and path" }).fill(`localhost:${site.port}/about?a=1`);
  await page.keyboard.press("Enter");
  await expect(content(page)).toHaveText("path /about?a=1, version 1");
  // It can't lead the whole tab elsewhere.
  const frame = page.locator("#preview-host iframe");
  await expect(frame).toHaveAttribute("sandbox", /allow-scripts/);
  await expect(frame).not.toHaveAttribute("sandbox", /allow-top-navigation/);
  // A click in it closes the list of events, as one elsewhere.
  await page.locator("#events summary").click();
  await expect(page.locator("#badge-changes")).toBeVisible();
  await frame.click({ position: { x: 20, y: 200 } });
  await expect(page.locator("#badge-changes")).toBeHidden();
  site.version = 2;
  await press(page, "Reload");
  await expect(content(page)).toHaveText("path /about?a=1, version 2");
  const [editor, preview] = [page.locator(".pane.editor"), page.locator(".pane.preview")];
  expect((await editor.boundingBox())?.y).toBe((await preview.boundingBox())?.y);
  expect(ready.sockets()).toBe(1);
});

test("opens in a tab of its own", async ({ context, page, ready, site }) => {
  await openPort(page, String(site.port));
  await expect(content(page)).toHaveText("path /, version 1");
  const opened = context.waitForEvent("page");
  await press(page, "Open in a new tab");
  await expect((await opened).locator("body")).toHaveText("path /, version 1");
  expect(ready.sockets()).toBe(1);
});

test("lives through a restart of its server and of the exec-server", async ({ ide, page, site }) => {
  await page.goto(ide.url);
  await session(page);
  await site.stop();
  await openPort(page, String(site.port));
  await expect(content(page)).toContainText(`Nothing listens on port ${site.port}`);
  await site.start();
  await expect(content(page)).toHaveText("path /, version 1");
  await press(page, "Kill server");
  await press(page, "Reload");
  await expect(content(page)).not.toContainText("path /");
  await press(page, "Start server");
  await expect(content(page)).toHaveText("path /, version 1");
});

test("closing ends the preview, and another port replaces it", async ({ page, ready, site }) => {
  const open = () =>
    page.evaluate(async () => {
      const previews = (await (await fetch("/api/previews")).json()) as { port: number }[];
      return previews.map(({ port }) => port);
    });
  await openPort(page, String(site.port));
  await expect(content(page)).toHaveText("path /, version 1");
  const other = new Site();
  await other.start();
  await page.getByRole("textbox", { name: "Port and path" }).fill(String(other.port));
  await page.keyboard.press("Enter");
  await expect(content(page)).toHaveText("path /, version 1");
  await expect.poll(open).toEqual([other.port]);
  await press(page, "Close the preview");
  await expect(page.locator(".pane.preview")).toBeHidden();
  await expect.poll(open).toEqual([]);
  await expect(page.getByRole("button", { name: "Open port" })).toBeFocused();
  await other.stop();
  expect(ready.sockets()).toBe(1);
});

test("explains an address without a port", async ({ page, ready }) => {
  await openPort(page, "about");
  await expect(page.locator("#notice")).toContainText("write a port, or a port and a path");
  expect(ready.sockets()).toBe(1);
});
