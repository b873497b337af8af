import { expect, type Page } from "@playwright/test";
import { GatewayChild } from "../support/gateway-child.ts";
import { PageServer } from "../support/page-server.ts";
import { Backend } from "./backend.ts";

const TOKEN = "token-of-the-built-page";

/**
 * Opens a built page and returns the report that it ends with. Fails on console output and violations of the policy.
 *
 * @param options.reachesOrigin Whether the page may also connect to the origin itself.
 */
export async function reportOf(
  page: Page,
  site: string,
  { reachesOrigin = false }: { reachesOrigin?: boolean } = {},
): Promise<unknown> {
  await using backend = await Backend.start();
  const pages = await PageServer.start(site);
  const upstream = backend.server.url;
  const gateway = await GatewayChild.start({ upstream, origin: pages.origin, token: TOKEN });
  try {
    const url = `ws://127.0.0.1:${gateway.port}`;
    pages.connectSrc = reachesOrigin ? `${url} ${backend.origin.url}` : url;
    const problems: string[] = [];
    page.on("console", (message) => problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(String(error)));
    const parameters = new URLSearchParams({ url, token: TOKEN, origin: backend.origin.url });
    await page.goto(`${pages.origin}/#${parameters}`);
    const report = await page.locator("pre").innerText();
    expect(problems).toEqual([]);
    expect(pages.reports).toEqual([]);
    return JSON.parse(report);
  } finally {
    await gateway.kill();
    await pages.close();
  }
}
