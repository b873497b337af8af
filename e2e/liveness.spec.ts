import type { Page, WebSocket } from "@playwright/test";
import { expect, test } from "./support/fixtures.ts";

const KEEP_ALIVE = { intervalMs: 400, timeoutMs: 800 };

for (const place of ["inPage", "inWorker"] as const) {
  test(`a network that is silently gone is found (${place})`, async ({ openTab, stage, context }) => {
    const tab = await openTab(place);
    await tab.do("prepare", stage.address, KEEP_ALIVE);
    const session = await tab.do("session");
    const lost = tab.do("lost");
    await context.setOffline(true);
    expect(await lost).toMatchObject({
      code: "ERR_DISCONNECTED",
      message: expect.stringContaining("gave no sign of life within 800 ms"),
    });
    // It makes the loss known, and nothing else.
    expect(stage.front.dials).toBe(1);
    expect(await tab.do("look")).toMatchObject({ state: "disconnected", dials: 1 });

    await context.setOffline(false);
    expect(await tab.do("look")).toMatchObject({ state: "disconnected", dials: 1 });
    expect(await tab.do("session")).not.toBe(session);
    expect(stage.front.dials).toBe(2);
  });
}

test("what hangs on a silently dead connection fails, though a request is under way", async ({
  tab,
  stage,
}) => {
  await tab.do("prepare", stage.address, KEEP_ALIVE);
  // The page learns that this server does not work through requests one by one.
  const learned = new Promise<void>((resolve) => {
    tab.page.once("websocket", (socket) => onOvertaken(socket, "/never/", "environment/status", resolve));
  });
  await Promise.all([tab.do("hang", stage.origin.url, 1), learned]);
  stage.front.freeze();
  expect((await tab.do("losses")).map(({ code }) => code)).toEqual(Array(5).fill("ERR_DISCONNECTED"));
  expect(await tab.do("echo", "again")).toBe("again");
  expect(stage.front.dials).toBe(2);
});

test("a hidden page is not judged, and asks when it is shown", async ({ tab, stage }) => {
  await tab.page.clock.install();
  await tab.page.reload();
  await tab.do("prepare", stage.address, KEEP_ALIVE);
  const session = await tab.do("session");
  await show(tab.page, "hidden");
  stage.front.freeze();
  await tab.page.clock.runFor(60_000);
  expect(await tab.do("look")).toMatchObject({ state: "connected" });
  await show(tab.page, "visible");
  const lost = tab.do("lost");
  await tab.page.clock.runFor(2_000);
  expect(await lost).toMatchObject({ code: "ERR_DISCONNECTED" });
  expect(await tab.do("session")).not.toBe(session);
});

/** A page can't be hidden from here, so it is told that it were. */
async function show(page: Page, state: "visible" | "hidden"): Promise<void> {
  await page.evaluate((visibilityState) => {
    Object.defineProperty(document, "visibilityState", { value: visibilityState, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, state);
}

/** Calls back when a request that was sent after another one has its answer; both are told by a part of their text. */
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
