import { PLAIN_PAGE } from "./support/build-pages.ts";
import { expect, test } from "./support/fixtures.ts";
import { tabulate } from "./support/matrix-table.ts";

test.use({ site: PLAIN_PAGE });

test("the page without a bundler runs commands under its policy, and replaces a killed server once", async ({
  browser,
  page,
  stage,
}, info) => {
  const name = `${info.project.name} ${browser.version()}`;
  tabulate(info, { consumer: name, how: "page without a bundler", entries: ["."] });
  const problems: string[] = [];
  page.on("console", (message) => problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(String(error)));
  await page.goto(stage.pages.origin);
  const run = async (command: string): Promise<void> => {
    await page.getByLabel("Command").fill(command);
    await page.getByRole("button", { name: "Run" }).click();
  };
  const output = page.locator("pre");
  const state = page.locator("#state");

  await page.getByLabel("Gateway").fill(stage.address.url);
  await page.getByLabel("Token").fill("another-token");
  await run("true");
  await expect(output).toContainText("ERR_CONNECT: ");
  await expect(state).toHaveText("idle");
  // Firefox and Chromium log each handshake that is refused.
  problems.length = 0;

  await page.getByLabel("Token").fill(stage.token);
  await run("echo $((6 * 7)) grüße; exit 3");
  await expect(output).toHaveText("42 grüße\nexit code 3\n");
  await expect(state).toHaveText("connected");

  await run("echo started; sleep 1000");
  await expect(output).toContainText("started");
  const before = stage.front.dials;
  await stage.server.restart();
  await expect(output).toContainText("ERR_DISCONNECTED: ");
  await expect(state).toHaveText("disconnected");
  expect(stage.front.dials).toBe(before);
  await run("echo again");
  await expect(output).toContainText("again");
  expect(stage.front.dials).toBe(before + 1);

  expect(problems).toEqual([]);
  expect(stage.pages.reports).toEqual([]);
});
