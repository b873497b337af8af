import { createServer, type ServerResponse } from "node:http";
import { expect, type Frame, type Page } from "@playwright/test";
import { Origin } from "../../test/support/origin.ts";
import { unusedPort } from "../../test/support/tcp-server.ts";
import type { Ide } from "./ide.ts";
import { api, type TestPreview, test } from "./preview.ts";

const portOf = (url: string): number => Number(new URL(url).port);

/** Answers with a page. */
const html =
  (body: string, setCookies: string[] = []) =>
  (response: ServerResponse): void => {
    response.writeHead(200, { "content-type": "text/html", "set-cookie": setCookies });
    response.end(body);
  };

/** The frame may do everything but lead the page around it elsewhere. */
const SANDBOX = "allow-scripts allow-same-origin allow-forms allow-popups";

/** Opens a port as the IDE's page does, and shows it in a frame of that page. */
async function show(page: Page, ide: Ide, port: number): Promise<Frame> {
  const { id, url } = (await (await api(ide, "POST", "", { port })).json()) as TestPreview;
  if (!page.url().startsWith(ide.url)) await page.goto(ide.url);
  await page.evaluate(
    ([src, sandbox]) => {
      const frame = document.createElement("iframe");
      frame.setAttribute("sandbox", sandbox);
      document.body.append(Object.assign(frame, { src }));
    },
    [url, SANDBOX] as const,
  );
  const found = (): Frame | undefined => page.frames().find((frame) => frame.url().includes(id));
  // The ticket's URL leads to the page.
  await expect.poll(() => found()?.url()).toMatch(/\d\/$/);
  return found() as Frame;
}

test("the frame keeps its cookie, for fetch and WebSockets too, and can't read it", async ({ ide, page }) => {
  await using origin = await Origin.start(html("<h1>the dev server's page</h1>"));
  const frame = await show(page, ide, portOf(origin.url));
  await expect(frame.getByRole("heading")).toHaveText("the dev server's page");
  expect(await frame.evaluate(async () => (await fetch("/data")).status)).toBe(200);
  // There is no upgrade, but the handshake arrives.
  await frame.evaluate(() => new Promise((resolve) => (new WebSocket("/hmr").onerror = resolve)));
  expect(origin.requests.map(({ url }) => url)).toEqual(expect.arrayContaining(["/", "/data", "/hmr"]));
  expect(await frame.evaluate(() => document.cookie)).toBe("");
});

test("no cookie goes from one preview to another, to the IDE or back", async ({ context, ide, page }) => {
  const answer = html(
    `<script>
      document.cookie = "script=1; Secure; SameSite=None; Partitioned";
      document.cookie = "wide=1; Domain=localhost; Secure; SameSite=None; Partitioned";
      document.cookie = "__Host-preview=mine; Secure; Path=/; SameSite=None; Partitioned";
    </script>`,
    [
      "server=1; Secure; SameSite=None; Partitioned",
      "wide=2; Domain=localhost; Secure; SameSite=None; Partitioned",
    ],
  );
  await using one = await Origin.start(answer);
  await using two = await Origin.start(answer);
  await context.addCookies([
    { name: "ide", value: "1", url: ide.url },
    { name: "local", value: "1", url: ide.url.replace("127.0.0.1", "localhost") },
  ]);
  for (const origin of [one, two]) {
    const frame = await show(page, ide, portOf(origin.url));
    await frame.evaluate(async (port) => {
      // biome-ignore lint/suspicious/noDocumentCookie: the API that pages have used for ever.
      document.cookie = `of=${port}; Secure; SameSite=None; Partitioned`;
      await fetch("/again");
    }, portOf(origin.url));
  }
  for (const origin of [one, two]) {
    expect(origin.latest.url).toBe("/again");
    const cookies = origin.latest.headers.find(([name]) => name.toLowerCase() === "cookie")?.[1];
    expect(cookies?.split("; ").sort()).toEqual([`of=${portOf(origin.url)}`, "script=1", "server=1"]);
  }
  const sent = page.waitForRequest(`${ide.url}/api/server`);
  await page.evaluate(() => fetch("/api/server"));
  expect((await (await sent).allHeaders())["cookie"]).toBe("ide=1");
});

test("a page of another site can neither frame a preview nor read of it", async ({ ide, open, page }) => {
  await using origin = await Origin.start(html("secret"));
  const preview = await open(portOf(origin.url));
  const frame = await show(page, ide, portOf(origin.url));
  await using foreign = await Origin.start(html(`<iframe src="${preview.origin}"></iframe>`));
  const other = await page.context().newPage();
  await other.goto(foreign.url);
  // Its site is the IDE's, so its frame has the cookie.
  await expect
    .poll(() => other.frames()[1]?.url())
    .toMatch(/^(?:chrome-error:|about:neterror\?e=cspBlocked)/);
  const read = (url: string): Promise<string> =>
    fetch(url, { credentials: "include", method: "POST" }).then(
      () => "read",
      () => "refused",
    );
  expect(await other.evaluate(read, `${preview.origin}/read`)).toBe("refused");
  await other.evaluate(
    (src) => new Promise((resolve) => Object.assign(new Image(), { src, onerror: resolve })),
    `${preview.origin}/image`,
  );
  expect(origin.requests.map(({ url }) => url).filter((url) => url !== "/")).toEqual([]);
  await expect(frame.locator("body")).toHaveText("secret");
});

test("a preview can't lead the IDE's page elsewhere, nor its own frame to another site", async ({
  browserName,
  ide,
  page,
}) => {
  await using origin = await Origin.start(html("<a href='' id='top' target='_top'>leave</a>"));
  await using elsewhere = await Origin.start();
  const frame = await show(page, ide, portOf(origin.url));
  for (const target of ["_top", "_self"]) {
    await frame
      .locator("a")
      .evaluate((link, [href, name]) => Object.assign(link, { href, target: name }), [
        elsewhere.url,
        target,
      ] as const);
    await frame.locator("a").click();
  }
  // Chromium shows a page about the policy in the frame, Firefox leaves the frame where it is.
  if (browserName === "firefox") await expect(frame.locator("a")).toHaveText("leave");
  else await expect.poll(() => page.frames().some((each) => each.url().includes(".localhost"))).toBe(false);
  expect(page.url()).toBe(`${ide.url}/`);
  expect(elsewhere.requests).toEqual([]);
});

test("the page about a port without a listener changes when something listens there", async ({
  ide,
  page,
}) => {
  const port = await unusedPort();
  const frame = await show(page, ide, port);
  await expect(frame.getByRole("heading")).toHaveText(`Nothing listens on port ${port} yet`);
  const server = createServer((_, response) => html("<h1>it listens now</h1>")(response));
  server.listen(port, "127.0.0.1");
  await expect(frame.getByRole("heading")).toHaveText("it listens now");
  server.close();
  server.closeAllConnections();
});

test("the page about the exec-server changes when it is back", async ({ execServer, ide, page }) => {
  await using origin = await Origin.start(html("<h1>the dev server's page</h1>"));
  await execServer.kill("SIGKILL");
  const frame = await show(page, ide, portOf(origin.url));
  await expect(frame.getByRole("heading")).toHaveText("The exec-server can't be reached");
  await execServer.restart();
  await expect(frame.getByRole("heading")).toHaveText("the dev server's page");
});

test("a preview works in a tab of its own, with a ticket of its own", async ({ context, ide }) => {
  await using origin = await Origin.start(html("<h1>in a tab</h1>"));
  const { url } = (await (await api(ide, "POST", "", { port: portOf(origin.url) })).json()) as TestPreview;
  const tab = await context.newPage();
  await tab.goto(url);
  await expect(tab.getByRole("heading")).toHaveText("in a tab");
  await tab.reload();
  await expect(tab.getByRole("heading")).toHaveText("in a tab");
});
