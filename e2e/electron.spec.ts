import { expect, test } from "@playwright/test";
import { stdio } from "exec-server-sdk/node";
import { codexBinary, makeCodexHome } from "../test/support/exec-server.ts";
import { Window } from "./electron/window.ts";

test("the page of the Electron example runs commands under its policy, and replaces a killed server once", async ({
  page,
}) => {
  const window = await Window.open(page, () =>
    stdio({
      command: codexBinary(),
      args: ["exec-server", "--listen", "stdio"],
      env: { CODEX_HOME: makeCodexHome() },
    }),
  );
  const output = page.locator("#output");
  const command = page.getByLabel("Command");
  const changes = page.getByLabel("State changes").getByRole("listitem");
  await expect(page.locator("#state")).toHaveText("idle");
  expect(window.bridges).toHaveLength(0);

  await command.fill("echo $((6 * 7)) grüße; exit 3");
  await page.getByRole("button", { name: "Run" }).click();
  await expect(output).toHaveText("42 grüße\n\nexit code 3");
  await expect(page.locator("#state")).toHaveText("connected");

  await command.fill("echo started; sleep 1000");
  await page.getByRole("button", { name: "Run" }).click();
  await expect(output).toContainText("started");
  await page.getByRole("button", { name: "Kill server" }).click();
  await expect(output).toContainText(
    "ERR_DISCONNECTED: The exec-server connection ended: the bridge was closed",
  );
  await expect(page.locator("#state")).toHaveText("disconnected");
  expect(window.bridges).toHaveLength(1);

  await command.fill("echo again");
  await page.getByRole("button", { name: "Run" }).click();
  await expect(output).toContainText("again");
  expect(window.bridges).toHaveLength(2);
  await expect(changes).toHaveText([
    "connecting",
    /^connected · [0-9a-f]{8}$/,
    /^disconnected · [0-9a-f]{8} · /,
    "connecting",
    /^connected · [0-9a-f]{8}$/,
  ]);

  expect(await window.violations()).toEqual([]);
  expect(window.problems).toEqual([]);
  // Only its own files, and no network request.
  expect(window.requests.map((url) => url.replace(/^file:.*\//, "")).sort()).toEqual([
    "index.html",
    "renderer.js",
    "style.css",
  ]);
  await window.close();
});
