import { createHash } from "node:crypto";
import { expect, test } from "./support/fixtures.ts";

const FLOOD = 64 * 1024 * 1024;

test("a frame that is removed says goodbye, and its bridge closes the socket", async ({ openTab, stage }) => {
  const tab = await openTab("inFrame");
  await tab.do("hang", stage.origin.url, 1);
  expect([stage.front.open, stage.back.open]).toEqual([1, 1]);
  const [end] = await tab.remove();
  expect(end).toMatchObject({ side: "client", reason: "the page on one side of the message port was left" });
  await Promise.all([stage.front.untilOpen(0), stage.back.untilOpen(0)]);
});

test("a worker that is terminated is missed, and its bridge closes the socket", async ({
  openTab,
  stage,
}) => {
  const tab = await openTab("inPortWorker");
  await tab.do("hang", stage.origin.url, 1);
  const [end] = await tab.remove();
  expect(end).toMatchObject({ side: "client" });
  expect(end?.reason).toBe("the other side of the message port was silent for 4000 ms");
  await Promise.all([stage.front.untilOpen(0), stage.back.untilOpen(0)]);
});

for (const place of ["inFrame", "inPortWorker"] as const) {
  test(`a client that is idle keeps its bridge, and closing it closes the socket (${place})`, async ({
    openTab,
    stage,
  }) => {
    const tab = await openTab(place);
    expect(await tab.do("look")).toMatchObject({ state: "idle", dials: 0 });
    const session = await tab.do("session");
    // Longer than a bridge bears with silence.
    await tab.page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 8_000)));
    expect(await tab.do("session")).toBe(session);
    await tab.do("close");
    await Promise.all([stage.front.untilOpen(0), stage.back.untilOpen(0)]);
    expect(await tab.remove()).toEqual([expect.objectContaining({ side: "client" })]);
    expect(stage.front.dials).toBe(1);
  });

  test(`64 MiB of output arrive whole (${place})`, async ({ openTab }) => {
    const tab = await openTab(place);
    await tab.do("session");
    const { bytes, ms } = await tab.do("swallow", FLOOD);
    expect(bytes).toBe(FLOOD);
    const expected = createHash("sha256").update(Buffer.alloc(FLOOD, "line of output\n")).digest("hex");
    expect(await tab.do("digest")).toBe(expected);
    process.stdout.write(`      64 MiB of output through a port in ${Math.round(ms)} ms (${place})\n`);
  });
}
