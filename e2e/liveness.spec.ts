import type { Page, WebSocket } from "@playwright/test";
import { expect, test } from "./support/fixtures.ts";

const KEEP_ALIVE = { intervalMs: 400, timeoutMs: 800 };

for (const place of ["inPage", "inWorker"] as const) {
  test(`detects a connection that is silently lost (${place})`, async ({ openTab, stage, context }) => {
    const tab = await openTab(place);
    await tab.do("prepare", stage.address, KEEP_ALIVE);
    const session = await tab.do("session");
    const lost = tab.do("lost");
    await context.setOffline(true);
    expect(await lost).toMatchObject({
      code: "ERR_DISCONNECTED",
      message: expect.stringContaining("gave no sign of life within 800 ms"),
    });
    // The loss is reported, and nothing reconnects.
    expect(stage.front.dials).toBe(1);
    expect(await tab.do("look")).toMatchObject({ state: "disconnected", dials: 1 });

    await context.setOffline(false);
    expect(await tab.do("look")).toMatchObject({ state: "disconnected", dials: 1 });
    expect(await tab.do("session")).not.toBe(session);
    expect(stage.front.dials).toBe(2);
  });
}

test("rejects everything pending on a silently lost connection while a request is in flight", async ({
  tab,
  stage,
}) => {
  await tab.do("prepare", stage.address, KEEP_ALIVE);
  // A later request that is answered first shows the page that this server handles requests concurrently.
  const learned = new Promise<void>((resolve) => {
    tab.page.once("websocket", (socket) => onOvertaken(socket, "/never/", "environment/status", resolve));
  });
  await Promise.all([tab.do("hang", stage.origin.url, 1), learned]);
  stage.front.freeze();
  expect((await tab.do("losses")).map(({ code }) => code)).toEqual(Array(5).fill("ERR_DISCONNECTED"));
  expect(await tab.do("echo", "again")).toBe("again");
  expect(stage.front.dials).toBe(2);
});

test("keeps the connection of a hidden page, and probes it when the page is shown", async ({
  tab,
  stage,
}) => {
  await tab.page.clock.install();
  await tab.page.reload();
  await tab.do("prepare", stage.address, KEEP_ALIVE);
  const session = await tab.do("session");
  await setVisibility(tab.page, "hidden");
  stage.front.freeze();
  await tab.page.clock.runFor(60_000);
  expect(await tab.do("look")).toMatchObject({ state: "connected" });
  await setVisibility(tab.page, "visible");
  const lost = tab.do("lost");
  await tab.page.clock.runFor(2_000);
  expect(await lost).toMatchObject({ code: "ERR_DISCONNECTED" });
  expect(await tab.do("session")).not.toBe(session);
});

/** Overrides the visibility of the page, which Playwright can not change. */
async function setVisibility(page: Page, state: "visible" | "hidden"): Promise<void> {
  await page.evaluate((visibilityState) => {
    Object.defineProperty(document, "visibilityState", { value: visibilityState, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, state);
}

/** Calls back when a request sent after another one is answered. Each is identified by a part of its text. */
function onOvertaken(socket: WebSocket, first: string, second: string, onAnswer: () => void): void {
  let isFirstSent = false;
  let id: unknown;
  socket.on("framesent", ({ payload }) => {
    const text = `${payload}`;
    if (text.includes(first)) isFirstSent = true;
    else if (isFirstSent && text.includes(second)) id ??= JSON.parse(text).id;
  });
  socket.on("framereceived", ({ payload }) => {
    if (id !== undefined && JSON.parse(`${payload}`).id === id) onAnswer();
  });
}
