import { expect, test } from "vitest";
import { END, Recorder } from "../support/recorder.ts";
import { type StdioHarness, type StdioPeer, stdioHarness } from "../transport/harness/stdio.ts";

const LONGEST = 64 * 1024 * 1024;

async function connected(harness: StdioHarness): Promise<{ recorder: Recorder; peer: StdioPeer }> {
  const connection = await harness.transport.connect({ signal: new AbortController().signal });
  return { recorder: new Recorder(connection), peer: await harness.peer() };
}

test("a character that is cut by the reads comes out whole", async () => {
  await using harness = await stdioHarness();
  const { recorder, peer } = await connected(harness);
  for (const byte of Buffer.from('{"text":"é€😀"}\n')) {
    peer.sendBytes(Uint8Array.of(byte));
    await peer.flushed();
  }
  expect(await recorder.entries(1)).toEqual(['{"text":"é€😀"}']);
});

test("lines may end in CRLF, and blank ones don't count", async () => {
  await using harness = await stdioHarness();
  const { recorder, peer } = await connected(harness);
  peer.sendBytes("\n\r\n  \t\n1\r\n\n2\n \r");
  await peer.flushed();
  peer.sendBytes("\n3\r");
  await peer.flushed();
  peer.sendBytes("\n");
  expect(await recorder.entries(3)).toEqual(["1", "2", "3"]);
});

test("a line without an end is dropped when the child ends", async () => {
  await using harness = await stdioHarness();
  const { recorder, peer } = await connected(harness);
  peer.sendBytes('{"id":1}\n{"id":');
  peer.end();
  await recorder.ended;
  expect(recorder.log).toEqual(['{"id":1}', END]);
});

test("a line of exactly 64 MiB is accepted, its CRLF not counted", async () => {
  await using harness = await stdioHarness();
  const { recorder, peer } = await connected(harness);
  peer.sendBytes(Buffer.alloc(LONGEST, "x"));
  peer.sendBytes("\r\n");
  expect((await recorder.entries(1))[0]).toHaveLength(LONGEST);
});

test.each([
  ["one byte more", "x\n"],
  ["one byte more and CRLF", "x\r\n"],
  ["no end in sight", "xx"],
])("a line of 64 MiB and %s ends the connection and the child", async (_, more) => {
  await using harness = await stdioHarness();
  const { recorder, peer } = await connected(harness);
  peer.sendBytes("1\n");
  peer.sendBytes(Buffer.alloc(LONGEST, "x"));
  peer.sendBytes(more);
  expect((await recorder.ended).reason).toContain(String(LONGEST));
  expect(recorder.log).toEqual(["1", END]);
  await harness.allGone();
});
