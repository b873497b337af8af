import { describe, expect, it } from "vitest";
import { Channel } from "../../src/rpc/channel.ts";
import type { Connection } from "../../src/transport/transport.ts";

/** A channel, and what it has called on its connection. */
function setUp(overrides: Partial<Connection> = {}) {
  const calls: string[] = [];
  const connection: Connection = {
    isOpen: true,
    start: () => {},
    send: (frame) => void calls.push(`send ${frame}`),
    close: async () => void calls.push("close"),
    ref: () => void calls.push("ref"),
    unref: () => void calls.push("unref"),
    flow: {
      pause: () => void calls.push("pause"),
      resume: () => void calls.push("resume"),
      drained: async () => {},
      queuedBytes: 7,
    },
    ...overrides,
  };
  return { channel: new Channel(connection, (error) => expect.unreachable(String(error))), calls };
}

describe("a pause", () => {
  it("reaches the connection once, and once its end", () => {
    const { channel, calls } = setUp();
    expect([channel.canPause, channel.isPaused]).toEqual([true, false]);
    channel.setPaused(false);
    channel.setPaused(true);
    channel.setPaused(true);
    expect(channel.isPaused).toBe(true);
    channel.setPaused(false);
    channel.setPaused(false);
    expect(calls).toEqual(["pause", "resume"]);
  });

  it("ends for good with stopPausing()", () => {
    const { channel, calls } = setUp();
    channel.setPaused(true);
    channel.stopPausing();
    channel.setPaused(true);
    expect(channel.isPaused).toBe(false);
    expect(calls).toEqual(["pause", "resume"]);
  });

  it("has no effect on a transport without backpressure", () => {
    const { channel, calls } = setUp({ flow: undefined });
    expect(channel.canPause).toBe(false);
    channel.setPaused(true);
    channel.setPaused(false);
    expect(calls).toEqual([]);
    expect(channel.queuedBytes).toBe(0);
  });
});

describe("hold()", () => {
  it("keeps the process alive from the first hold to the last release", () => {
    const { channel, calls } = setUp();
    const releases = [channel.hold(), channel.hold()];
    expect(calls).toEqual(["ref"]);
    releases[0]?.();
    expect(calls).toEqual(["ref"]);
    releases[1]?.();
    expect(calls).toEqual(["ref", "unref"]);
    channel.hold()();
    expect(calls).toEqual(["ref", "unref", "ref", "unref"]);
  });

  it("works on a transport that can't choose", () => {
    const { channel } = setUp({ ref: undefined, unref: undefined });
    expect(() => channel.hold()()).not.toThrow();
  });
});

it("sends bytes as base64 where the transport has no quicker way", () => {
  const payloads: unknown[] = [];
  const frame = { head: '{"a":"', bytes: Uint8Array.of(1, 2, 3), tail: '"}' };
  const plain = setUp();
  plain.channel.send(frame);
  plain.channel.send("{}");
  expect(plain.calls).toEqual(['send {"a":"AQID"}', "send {}"]);
  const quick = setUp({ sendPayload: (...parts) => void payloads.push(parts) });
  quick.channel.send(frame);
  expect(payloads).toEqual([[frame.head, frame.bytes, frame.tail]]);
  expect(quick.calls).toEqual([]);
});
