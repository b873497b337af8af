import { createHash } from "node:crypto";
import { expect, test } from "./support/fixtures.ts";

const OUTPUT_BYTES = 64 * 1024 * 1024;

test("the bridge of a removed frame is notified and closes the socket", async ({ openTab, stage }) => {
  const tab = await openTab("inFrame");
  await tab.do("hang", stage.origin.url, 1);
  expect([stage.front.open, stage.back.open]).toEqual([1, 1]);
  const [end] = await tab.remove();
  expect(end).toMatchObject({ side: "client", reason: "the page on one side of the message port was left" });
  await Promise.all([stage.front.untilOpen(0), stage.back.untilOpen(0)]);
});

test("the bridge of a terminated worker detects the silence and closes the socket", async ({
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
  test(`an idle client keeps its bridge, and closing the client closes the socket (${place})`, async ({
    openTab,
    stage,
  }) => {
    const tab = await openTab(place);
    expect(await tab.do("look")).toMatchObject({ state: "idle", dials: 0 });
    const session = await tab.do("session");
    // Twice the time after which a bridge ends a silent port.
    await tab.page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 8_000)));
    expect(await tab.do("session")).toBe(session);
    await tab.do("close");
    await Promise.all([stage.front.untilOpen(0), stage.back.untilOpen(0)]);
    expect(await tab.remove()).toEqual([expect.objectContaining({ side: "client" })]);
    expect(stage.front.dials).toBe(1);
  });

  test(`transfers 64 MiB of output completely (${place})`, async ({ openTab }) => {
    const tab = await openTab(place);
    await tab.do("session");
    expect(await tab.do("readOutput", OUTPUT_BYTES)).toBe(OUTPUT_BYTES);
    const expected = createHash("sha256")
      .update(Buffer.alloc(OUTPUT_BYTES, "line of output\n"))
      .digest("hex");
    expect(await tab.do("digest")).toBe(expected);
  });
}
