import { expect, it } from "vitest";
import { ReceiveQueue } from "../../src/transport/receive-queue.ts";
import type { ConnectionReceiver } from "../../src/transport/transport.ts";

/** Writes down what it is told, in order. */
function recorder(during: (frame: unknown) => void = () => {}) {
  const seen: unknown[] = [];
  const receiver: ConnectionReceiver = {
    onFrame: (frame) => {
      seen.push(frame);
      during(frame);
    },
    onEnd: (end) => {
      seen.push(end);
    },
  };
  return { seen, receiver };
}

const END = { reason: "over" };

it("keeps what came early, and passes on the rest as it comes", () => {
  const queue = new ReceiveQueue();
  const { seen, receiver } = recorder();
  const bytes = new Uint8Array([1]);
  queue.frame("a");
  queue.frame(bytes);
  queue.start(receiver);
  queue.frame("c");
  expect(seen).toEqual(["a", bytes, "c"]);
});

it("tells an early end after the early frames", () => {
  const queue = new ReceiveQueue();
  const { seen, receiver } = recorder();
  queue.frame("a");
  queue.end(END);
  expect(queue.ended).toBe(true);
  queue.start(receiver);
  expect(seen).toEqual(["a", END]);
});

it("delivers nothing after the end", () => {
  const queue = new ReceiveQueue();
  const { seen, receiver } = recorder();
  queue.start(receiver);
  queue.end(END);
  queue.frame("late");
  expect(seen).toEqual([END]);

  const early = new ReceiveQueue();
  const later = recorder();
  early.end(END);
  early.frame("late");
  early.start(later.receiver);
  expect(later.seen).toEqual([END]);
});

it("tells the end once, and the first one", () => {
  const queue = new ReceiveQueue();
  const { seen, receiver } = recorder();
  queue.end(END);
  queue.end({ reason: "again" });
  queue.start(receiver);
  queue.end({ reason: "and again" });
  expect(seen).toEqual([END]);
});

it("takes an empty frame for a frame", () => {
  const queue = new ReceiveQueue();
  const { seen, receiver } = recorder();
  queue.frame("");
  queue.frame("b");
  queue.start(receiver);
  expect(seen).toEqual(["", "b"]);
});

it("keeps the order when the receiver's own handling of an early frame brings another one or the end", () => {
  const queue = new ReceiveQueue();
  const { seen, receiver } = recorder((frame) => {
    if (frame !== "a") return;
    queue.frame("c");
    queue.end(END);
    queue.frame("late");
  });
  queue.frame("a");
  queue.frame("b");
  queue.start(receiver);
  expect(seen).toEqual(["a", "b", "c", END]);
});

it("tells the end once when a frame that is delivered live brings it", () => {
  const queue = new ReceiveQueue();
  const { seen, receiver } = recorder(() => queue.end(END));
  queue.start(receiver);
  queue.frame("a");
  queue.frame("late");
  expect(seen).toEqual(["a", END]);
});

it("holds frames back while it is paused, and the end behind them", () => {
  const queue = new ReceiveQueue();
  const { seen, receiver } = recorder();
  queue.start(receiver);
  queue.pause();
  queue.frame("a");
  queue.frame("b");
  expect(seen).toEqual([]);
  expect(queue.isEmpty).toBe(false);
  queue.resume();
  expect(seen).toEqual(["a", "b"]);
  expect(queue.isEmpty).toBe(true);
  queue.frame("c");
  expect(seen).toEqual(["a", "b", "c"]);
});

it("may be paused from within a frame, the first ones included", () => {
  const queue = new ReceiveQueue();
  const { seen, receiver } = recorder(() => queue.pause());
  queue.frame("a");
  queue.frame("b");
  queue.start(receiver);
  expect(seen).toEqual(["a"]);
  queue.frame("c");
  queue.resume();
  expect(seen).toEqual(["a", "b"]);
  queue.resume();
  expect(seen).toEqual(["a", "b", "c"]);
});

it("lets everything through at its end, since nothing more can pile up", () => {
  const queue = new ReceiveQueue();
  const { seen, receiver } = recorder(() => queue.pause());
  queue.start(receiver);
  queue.pause();
  queue.frame("a");
  queue.frame("b");
  queue.end(END);
  expect(seen).toEqual(["a", "b", END]);
  queue.resume();
  expect(seen).toEqual(["a", "b", END]);
});

it("keeps its pause for a receiver that comes later", () => {
  const queue = new ReceiveQueue();
  const { seen, receiver } = recorder();
  queue.pause();
  queue.frame("a");
  queue.start(receiver);
  expect(seen).toEqual([]);
  queue.resume();
  expect(seen).toEqual(["a"]);
});
