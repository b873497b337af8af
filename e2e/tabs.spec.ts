import { expect, test } from "./support/fixtures.ts";
import { CALLERS, counts } from "./support/outage.ts";

test("the loss or close of one tab does not affect the other", async ({ openTab, stage }) => {
  const [first, second] = [await openTab(), await openTab()];
  const kept = await first.do("session");
  expect(await second.do("session")).not.toBe(kept);
  expect(stage.front.dials).toBe(2);

  // The second tab loses its connection while calls and streams are pending.
  await second.do("hang", stage.origin.url, 1);
  stage.front.cutLatest();
  const losses = await second.do("losses");
  expect(losses.map(({ code }) => code)).toEqual(Array(5).fill("ERR_DISCONNECTED"));
  expect(await first.do("look")).toMatchObject({ state: "connected", dials: 1 });
  expect(await first.do("echo", "still here")).toBe("still here");

  await second.do("crowd", CALLERS);
  expect(stage.front.dials).toBe(3);
  expect(await first.do("session")).toBe(kept);

  // The second tab is closed.
  await second.page.close();
  await stage.front.untilOpen(1);
  expect(await first.do("echo", "alone")).toBe("alone");
  expect(await first.do("session")).toBe(kept);
  expect(first.webSockets).toBe(1);
});

test("each tab opens one new session after the server was killed", async ({ openTab, stage }) => {
  const tabs = [await openTab(), await openTab()];
  const before = await Promise.all(tabs.map((tab) => tab.do("hang", stage.origin.url, 1)));
  await stage.server.kill("SIGKILL");
  for (const tab of tabs) expect(await tab.do("losses")).toHaveLength(5);
  await stage.server.restart();
  const crowds = await Promise.all(tabs.map((tab) => tab.do("crowd", CALLERS)));
  const sessions = crowds.flatMap((crowd) => crowd.sessions);
  expect(new Set([...before, ...sessions]).size).toBe(4);
  expect(tabs.map((tab) => tab.webSockets)).toEqual([2, 2]);
});

for (const place of ["inPage", "inWorker"] as const) {
  test(`a reload closes the socket (${place})`, async ({ openTab, stage }) => {
    const tab = await openTab(place);
    await tab.do("hang", stage.origin.url, 1);
    expect([stage.front.open, stage.back.open]).toEqual([1, 1]);
    await tab.page.reload();
    await Promise.all([stage.front.untilOpen(0), stage.back.untilOpen(0)]);

    await tab.do("prepare", stage.address);
    expect(await tab.do("echo", "again")).toBe("again");
    expect([stage.front.open, stage.back.open]).toEqual([1, 1]);
    expect(stage.front.dials).toBe(2);
  });
}

test("closing the client closes its socket", async ({ tab, stage }) => {
  await tab.do("session");
  await tab.do("close");
  await Promise.all([stage.front.untilOpen(0), stage.back.untilOpen(0)]);
  expect(await tab.do("failingCrowd", 3)).toMatchObject({ errors: 1, failures: [{ code: "ERR_CLOSED" }] });
  expect(stage.front.dials).toBe(1);
});

test("each use of a server that is down makes one attempt with a clear error, until the server is back", async ({
  tab,
  stage,
}) => {
  await tab.do("session");
  await stage.server.kill("SIGKILL");
  await tab.untilDisconnected();
  const { frontDials } = counts(tab, stage);
  for (const attempt of [1, 2, 3]) {
    const { errors, failures } = await tab.do("failingCrowd", CALLERS);
    expect(errors).toBe(1);
    // The close code of the gateway for an unreachable exec-server.
    expect(failures[0]).toMatchObject({ name: "ConnectError", code: "ERR_CONNECT", closeCode: 4002 });
    expect(failures[0]?.message).toContain("the exec-server can't be reached");
    expect(stage.front.dials).toBe(frontDials + attempt);
    expect((await tab.do("look")).state).toBe("disconnected");
  }
  await stage.server.restart();
  expect(stage.front.dials).toBe(frontDials + 3);
  expect(await tab.do("crowd", CALLERS)).toMatchObject({ answered: CALLERS, clients: 1 });
  expect(stage.front.dials).toBe(frontDials + 4);
});

test("a gateway that is down gives a clear error", async ({ tab, stage }) => {
  await tab.do("session");
  await stage.gateway.kill();
  await tab.untilDisconnected();
  const { errors, failures } = await tab.do("failingCrowd", CALLERS);
  expect(errors).toBe(1);
  expect(failures[0]).toMatchObject({ name: "ConnectError", code: "ERR_CONNECT", closeCode: 1006 });
  expect(stage.front.dials).toBe(2);
  // The browser logs the failed WebSocket. Nothing else is reported.
  expect(tab.problems.splice(0)).toEqual([
    expect.stringContaining(`WebSocket connection to '${stage.front.url}`),
  ]);
  await stage.gateway.restart();
  expect(await tab.do("echo", "back")).toBe("back");
});

test("a page with a wrong token learns so by its close code and its error", async ({ tab, stage }) => {
  const { url, protocols } = stage.address;
  const wrong = [protocols[0] ?? "", "a-wrong-token-of-32-characters.."];
  const { code, reason, wasClean } = await tab.page.evaluate(
    ([target, offered]) =>
      new Promise<{ code: number; reason: string; wasClean: boolean }>((resolve) => {
        const socket = new WebSocket(target as string, offered as string[]);
        socket.onopen = () => socket.send("{}");
        socket.onclose = (event) =>
          resolve({ code: event.code, reason: event.reason, wasClean: event.wasClean });
      }),
    [url, wrong] as const,
  );
  expect({ code, reason, wasClean }).toEqual({
    code: 4401,
    reason: "the gateway refused the token",
    wasClean: true,
  });
});
