import { expect, test } from "vitest";
import { LazyExecServerClient } from "../../src/index.ts";
import { stdioHarness } from "../transport/harness/stdio.ts";

test("starts the child at the first use and sends initialize, then initialized after the response", async () => {
  await using harness = await stdioHarness();
  await using client = new LazyExecServerClient({ transport: harness.transport, clientName: "me" });
  expect(harness.attempts).toBe(0);

  const connecting = client.get();
  const peer = await harness.peer();
  expect(JSON.parse((await peer.receive()) ?? "")).toEqual({
    id: 1,
    method: "initialize",
    params: { clientName: "me", resumeSessionId: null },
  });
  peer.send('{"id":1,"result":{"sessionId":"child"}}');
  expect((await connecting).sessionId).toBe("child");
  expect(JSON.parse((await peer.receive()) ?? "")).toEqual({ method: "initialized", params: {} });
  expect(harness.attempts).toBe(1);
});
