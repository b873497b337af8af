import type { ServerOptions } from "node:http";
import { test as base, expect, type Page } from "@playwright/test";
import { type IdeServer, startIdeServer } from "../../examples/web-ide/server/ide-server.ts";
import { makeWorkspace } from "../../examples/web-ide/server/workspace.ts";
import { ExecServer } from "../../test/support/exec-server.ts";

export interface Ide extends IdeServer {
  readonly root: string;
}

interface Fixtures {
  readonly execServer: ExecServer;
  /** The limits of the IDE's server, if not its own. */
  readonly limits: ServerOptions | undefined;
  readonly ide: Ide;
  readonly ready: { readonly sockets: () => number };
}

export const test = base.extend<Fixtures>({
  limits: [undefined, { option: true }],

  // biome-ignore lint/correctness/noEmptyPattern: the runner reads the parameter's names.
  execServer: async ({}, use) => {
    // Shells read the start-up files of no user.
    const env = { HOME: "/nonexistent" };
    await using execServer = await ExecServer.start({ args: ["--concurrent-requests", "8"], env });
    await use(execServer);
  },

  ide: async ({ execServer, limits }, use) => {
    const workspace = makeWorkspace();
    const ide = await startIdeServer(execServer, workspace.root, limits);
    await use({ ...ide, root: workspace.root });
    await ide.close();
    workspace.remove();
  },

  /** Opens the page and waits for the prompt of the shell. Fails if the page logs or throws anything. */
  ready: async ({ ide, page }, use) => {
    const problems: string[] = [];
    let sockets = 0;
    page.on("console", (message) => problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("websocket", () => sockets++);
    await page.goto(ide.url);
    await expect(terminal(page)).toContainText(/[#$]/);
    await use({ sockets: () => sockets });
    expect(problems).toEqual([]);
  },
});

export const terminal = (page: Page) => page.locator("#terminal > :not([hidden]) .xterm-rows");
export const badge = (page: Page) => page.locator("#badge-text");
export const rowOf = (page: Page, name: string) =>
  page.locator("#tree").getByRole("button", { name, exact: true });

export async function type(page: Page, command: string): Promise<void> {
  await page.locator("#terminal").click();
  await page.keyboard.type(`${command}\n`);
}

/** The first 8 characters of the session id, as the strip shows them. */
export async function session(page: Page): Promise<string> {
  await expect(badge(page)).toHaveText(/^Connected · [0-9a-f]{8}$/);
  return (await badge(page).innerText()).slice(-8);
}
