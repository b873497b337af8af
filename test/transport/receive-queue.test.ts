import { describe, expect, it } from "vitest";
import { ReceiveQueue } from "../../src/transport/receive-queue.ts";
import type { ConnectionReceiver } from "../../src/transport/transport.ts";

/** A receiver that records frames and ends in order, and calls back within each frame. */
function recorder(duringFrame: (frame: unknown) => void = () => {}) {
  const received: unknown[] = [];
  const receiver: ConnectionReceiver = {
    onFrame: (frame) => {
      received.push(frame);
      duringFrame(frame);
    },
    onEnd: (end) => {
      received.push(end);
    },
  };
  return { received, receiver };
}

const END = { reason: "over" };

describe("ReceiveQueue", () => {
  it("queues frames until start() and delivers later ones at once", () => {
    const queue = new ReceiveQueue();
    const { received, receiver } = recorder();
    const bytes = new Uint8Array([1]);
    queue.frame("a");
    queue.frame(bytes);
    queue.start(receiver);
    queue.frame("c");
    expect(received).toEqual(["a", bytes, "c"]);
  });

  it("delivers an early end after the early frames", () => {
    const queue = new ReceiveQueue();
    const { received, receiver } = recorder();
    queue.frame("a");
    queue.end(END);
    expect(queue.ended).toBe(true);
    queue.start(receiver);
    expect(received).toEqual(["a", END]);
  });

  it("delivers nothing after the end", () => {
    const queue = new ReceiveQueue();
    const { received, receiver } = recorder();
    queue.start(receiver);
    queue.end(END);
    queue.frame("late");
    expect(received).toEqual([END]);

    const early = new ReceiveQueue();
    const late = recorder();
    early.end(END);
    early.frame("late");
    early.start(late.receiver);
    expect(late.received).toEqual([END]);
  });

  it("delivers only the first end", () => {
    const queue = new ReceiveQueue();
    const { received, receiver } = recorder();
    queue.end(END);
    queue.end({ reason: "again" });
    queue.start(receiver);
    queue.end({ reason: "and again" });
    expect(received).toEqual([END]);
  });

  it("delivers an empty frame", () => {
    const queue = new ReceiveQueue();
    const { received, receiver } = recorder();
    queue.frame("");
    queue.frame("b");
    queue.start(receiver);
    expect(received).toEqual(["", "b"]);
  });

  it("keeps the order if a frame or the end arrives while an early frame is delivered", () => {
    const queue = new ReceiveQueue();
    const { received, receiver } = recorder((frame) => {
      if (frame !== "a") return;
      queue.frame("c");
      queue.end(END);
      queue.frame("late");
    });
    queue.frame("a");
    queue.frame("b");
    queue.start(receiver);
    expect(received).toEqual(["a", "b", "c", END]);
  });

  it("delivers the end once if it arrives while a frame is delivered", () => {
    const queue = new ReceiveQueue();
    const { received, receiver } = recorder(() => queue.end(END));
    queue.start(receiver);
    queue.frame("a");
    queue.frame("late");
    expect(received).toEqual(["a", END]);
  });

  it("queues frames while paused and delivers them on resume()", () => {
    const queue = new ReceiveQueue();
    const { received, receiver } = recorder();
    queue.start(receiver);
    queue.pause();
    queue.frame("a");
    queue.frame("b");
    expect(received).toEqual([]);
    expect(queue.isEmpty).toBe(false);
    queue.resume();
    expect(received).toEqual(["a", "b"]);
    expect(queue.isEmpty).toBe(true);
    queue.frame("c");
    expect(received).toEqual(["a", "b", "c"]);
  });

  it("can be paused from within a frame, also from within a queued one", () => {
    const queue = new ReceiveQueue();
    const { received, receiver } = recorder(() => queue.pause());
    queue.frame("a");
    queue.frame("b");
    queue.start(receiver);
    expect(received).toEqual(["a"]);
    queue.frame("c");
    queue.resume();
    expect(received).toEqual(["a", "b"]);
    queue.resume();
    expect(received).toEqual(["a", "b", "c"]);
  });

  it("delivers everything at its end, even while paused", () => {
    const queue = new ReceiveQueue();
    const { received, receiver } = recorder(() => queue.pause());
    queue.start(receiver);
    queue.pause();
    queue.frame("a");
    queue.frame("b");
    queue.end(END);
    expect(received).toEqual(["a", "b", END]);
    queue.resume();
    expect(received).toEqual(["a", "b", END]);
  });

  it("stays paused for a receiver that starts later", () => {
    const queue = new ReceiveQueue();
    const { received, receiver } = recorder();
    queue.pause();
    queue.frame("a");
    queue.start(receiver);
    expect(received).toEqual([]);
    queue.resume();
    expect(received).toEqual(["a"]);
  });

  it("reports each frame that the receiver has released, in order, and none of another receiver", () => {
    const released: unknown[] = [];
    const queue = new ReceiveQueue((frame) => released.push(frame));
    const { received, receiver } = recorder(() => expect(released).toEqual(received.slice(0, -1)));
    queue.frame("a");
    queue.start({ ...receiver, releasesFrames: true });
    queue.frame("b");
    queue.pause();
    queue.frame("c");
    expect(released).toEqual(["a", "b"]);
    queue.resume();
    expect(released).toEqual(["a", "b", "c"]);

    const keeping = new ReceiveQueue((frame) => released.push(frame));
    keeping.start(recorder().receiver);
    keeping.frame("d");
    expect(released).toEqual(["a", "b", "c"]);
  });
});
