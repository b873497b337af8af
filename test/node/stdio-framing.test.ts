import { expect, test } from "vitest";
import { END, Recorder } from "../support/recorder.ts";
import { type StdioHarness, type StdioPeer, stdioHarness } from "../transport/harness/stdio.ts";

const LONGEST = 64 * 1024 * 1024;

async function connected(harness: StdioHarness): Promise<{ recorder: Recorder; peer: StdioPeer }> {
  const connection = await harness.transport.connect({ signal: new AbortController().signal });
  return { recorder: new Recorder(connection), peer: await harness.peer() };
}

test("keeps a character whole that is split over reads", async () => {
  await using harness = await stdioHarness();
  const { recorder, peer } = await connected(harness);
  for (const byte of Buffer.from('{"text":"é€😀"}\n')) {
    peer.sendBytes(Uint8Array.of(byte));
    await peer.flushed();
  }
  expect(await recorder.entries(1)).toEqual(['{"text":"é€😀"}']);
});

test("accepts CRLF and skips blank lines", async () => {
  await using harness = await stdioHarness();
  const { recorder, peer } = await connected(harness);
  peer.sendBytes("\n\r\n  \t\n1\r\n\n2\n \r");
  await peer.flushed();
  peer.sendBytes("\n3\r");
  await peer.flushed();
  peer.sendBytes("\n");
  expect(await recorder.entries(3)).toEqual(["1", "2", "3"]);
});

test("drops a line without an end when the child exits", async () => {
  await using harness = await stdioHarness();
  const { recorder, peer } = await connected(harness);
  peer.sendBytes('{"id":1}\n{"id":');
  peer.end();
  await recorder.ended;
  expect(recorder.log).toEqual(['{"id":1}', END]);
});

test("accepts a line of exactly 64 MiB before CRLF", async () => {
  await using harness = await stdioHarness();
  const { recorder, peer } = await connected(harness);
  peer.sendBytes(Buffer.alloc(LONGEST, "x"));
  peer.sendBytes("\r\n");
  expect((await recorder.entries(1))[0]).toHaveLength(LONGEST);
});

test.each([
  ["one byte more", "x\n"],
  ["one byte more and CRLF", "x\r\n"],
  ["two bytes more without a line ending", "xx"],
])("ends the connection and the child on a line of 64 MiB and %s", async (_, more) => {
  await using harness = await stdioHarness();
  const { recorder, peer } = await connected(harness);
  peer.sendBytes("1\n");
  peer.sendBytes(Buffer.alloc(LONGEST, "x"));
  peer.sendBytes(more);
  expect((await recorder.ended).reason).toContain(String(LONGEST));
  expect(recorder.log).toEqual(["1", END]);
  await harness.allGone();
});
