import { writeFileSync } from "node:fs";
import type { ServerOptions } from "node:http";
import { join } from "node:path";
import { test as base, expect, type Page } from "@playwright/test";
import { type IdeServer, startIdeServer } from "../../examples/web-ide/server/ide-server.ts";
import type { DemoExecServer } from "../../examples/web-ide/server/server-actions.ts";
import { makeWorkspace } from "../../examples/web-ide/server/workspace.ts";
import { DelayingRelay } from "../../test/support/delaying-relay.ts";
import { ExecServer } from "../../test/support/exec-server.ts";

export interface Ide extends IdeServer {
  readonly root: string;
}

interface Fixtures {
  readonly execServer: ExecServer;
  /** The limits of the IDE's server, if not its own. */
  readonly limits: ServerOptions | undefined;
  /** How far the exec-server is away, in milliseconds. */
  readonly roundTripMs: number;
  readonly ide: Ide;
  readonly ready: { readonly sockets: () => number };
}

export const test = base.extend<Fixtures>({
  limits: [undefined, { option: true }],
  roundTripMs: [0, { option: true }],

  // biome-ignore lint/correctness/noEmptyPattern: the runner reads the parameter's names.
  execServer: async ({}, use) => {
    // Shells read the start-up files of no user.
    const env = { HOME: "/nonexistent" };
    await using execServer = await ExecServer.start({ args: ["--concurrent-requests", "8"], env });
    await use(execServer);
  },

  ide: async ({ execServer, limits, roundTripMs }, use) => {
    await using relay = await DelayingRelay.start(execServer.url, roundTripMs);
    const workspace = makeWorkspace();
    const demo: DemoExecServer = {
      url: roundTripMs > 0 ? relay.url : execServer.url,
      get pid() {
        return execServer.pid;
      },
      kill: (signal) => execServer.kill(signal),
      restart: () => execServer.restart(),
    };
    const ide = await startIdeServer(demo, workspace.root, limits);
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
    // A browser, a server and a shell have to start.
    await expect(terminal(page)).toContainText(/[#$]/, { timeout: 20_000 });
    await use({ sockets: () => sockets });
    expect(problems).toEqual([]);
  },
});

export const terminal = (page: Page) => page.locator("#terminal > :not([hidden]) .xterm-rows");
export const badge = (page: Page) => page.locator("#badge-text");
export const rowOf = (page: Page, name: string) =>
  page.locator("#tree").getByRole("treeitem", { name, exact: true });

export async function type(page: Page, command: string): Promise<void> {
  await page.locator("#terminal").click();
  await page.keyboard.type(`${command}\n`);
}

/** The first 8 characters of the session id, as the strip shows them. */
export async function session(page: Page): Promise<string> {
  await expect(badge(page)).toHaveText(/^Connected · [0-9a-f]{8}$/);
  return (await badge(page).innerText()).slice(-8);
}

export const tabOf = (page: Page, name: string) => page.getByRole("tab", { name: new RegExp(`^${name}`) });
export const text = (page: Page) => page.getByRole("textbox", { name: "Text of the file" });
export const saveButton = (page: Page) => page.getByRole("button", { name: "Save", exact: true });
export const dialog = (page: Page) => page.getByRole("alertdialog");

/** Writes files of the workspace, and has the tree read them. */
export async function putFiles(
  page: Page,
  ide: Ide,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  for (const [name, data] of Object.entries(files)) writeFileSync(join(ide.root, name), data);
  await page.getByRole("button", { name: "Read again" }).click();
}

/** Opens a file of the top level, and puts the cursor at its start. */
export async function openFile(page: Page, name: string): Promise<void> {
  await rowOf(page, name).click();
  await expect(tabOf(page, name)).toHaveAttribute("aria-selected", "true");
  await text(page).focus();
  await page.keyboard.press("Control+Home");
}

/** Presses Control+S, and waits until the file is saved. */
export async function save(page: Page): Promise<void> {
  await page.keyboard.press("Control+s");
  await expect(saveButton(page)).toBeDisabled();
}
