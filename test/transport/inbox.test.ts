import { expect, it } from "vitest";
import { Inbox } from "../../src/transport/inbox.ts";
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
  const inbox = new Inbox();
  const { seen, receiver } = recorder();
  const bytes = new Uint8Array([1]);
  inbox.frame("a");
  inbox.frame(bytes);
  inbox.start(receiver);
  inbox.frame("c");
  expect(seen).toEqual(["a", bytes, "c"]);
});

it("tells an early end after the early frames", () => {
  const inbox = new Inbox();
  const { seen, receiver } = recorder();
  inbox.frame("a");
  inbox.end(END);
  expect(inbox.ended).toBe(true);
  inbox.start(receiver);
  expect(seen).toEqual(["a", END]);
});

it("delivers nothing after the end", () => {
  const inbox = new Inbox();
  const { seen, receiver } = recorder();
  inbox.start(receiver);
  inbox.end(END);
  inbox.frame("late");
  expect(seen).toEqual([END]);

  const early = new Inbox();
  const later = recorder();
  early.end(END);
  early.frame("late");
  early.start(later.receiver);
  expect(later.seen).toEqual([END]);
});

it("tells the end once, and the first one", () => {
  const inbox = new Inbox();
  const { seen, receiver } = recorder();
  inbox.end(END);
  inbox.end({ reason: "again" });
  inbox.start(receiver);
  inbox.end({ reason: "and again" });
  expect(seen).toEqual([END]);
});

it("takes an empty frame for a frame", () => {
  const inbox = new Inbox();
  const { seen, receiver } = recorder();
  inbox.frame("");
  inbox.frame("b");
  inbox.start(receiver);
  expect(seen).toEqual(["", "b"]);
});

it("keeps the order when the receiver's own handling of an early frame brings another one or the end", () => {
  const inbox = new Inbox();
  const { seen, receiver } = recorder((frame) => {
    if (frame !== "a") return;
    inbox.frame("c");
    inbox.end(END);
    inbox.frame("late");
  });
  inbox.frame("a");
  inbox.frame("b");
  inbox.start(receiver);
  expect(seen).toEqual(["a", "b", "c", END]);
});

it("tells the end once when a frame that is delivered live brings it", () => {
  const inbox = new Inbox();
  const { seen, receiver } = recorder(() => inbox.end(END));
  inbox.start(receiver);
  inbox.frame("a");
  inbox.frame("late");
  expect(seen).toEqual(["a", END]);
});

it("holds frames back while it is paused, and the end behind them", () => {
  const inbox = new Inbox();
  const { seen, receiver } = recorder();
  inbox.start(receiver);
  inbox.pause();
  inbox.frame("a");
  inbox.frame("b");
  expect(seen).toEqual([]);
  expect(inbox.isEmpty).toBe(false);
  inbox.resume();
  expect(seen).toEqual(["a", "b"]);
  expect(inbox.isEmpty).toBe(true);
  inbox.frame("c");
  expect(seen).toEqual(["a", "b", "c"]);
});

it("may be paused from within a frame, the first ones included", () => {
  const inbox = new Inbox();
  const { seen, receiver } = recorder(() => inbox.pause());
  inbox.frame("a");
  inbox.frame("b");
  inbox.start(receiver);
  expect(seen).toEqual(["a"]);
  inbox.frame("c");
  inbox.resume();
  expect(seen).toEqual(["a", "b"]);
  inbox.resume();
  expect(seen).toEqual(["a", "b", "c"]);
});

it("lets everything through at its end, since nothing more can pile up", () => {
  const inbox = new Inbox();
  const { seen, receiver } = recorder(() => inbox.pause());
  inbox.start(receiver);
  inbox.pause();
  inbox.frame("a");
  inbox.frame("b");
  inbox.end(END);
  expect(seen).toEqual(["a", "b", END]);
  inbox.resume();
  expect(seen).toEqual(["a", "b", END]);
});

it("keeps its pause for a receiver that comes later", () => {
  const inbox = new Inbox();
  const { seen, receiver } = recorder();
  inbox.pause();
  inbox.frame("a");
  inbox.start(receiver);
  expect(seen).toEqual([]);
  inbox.resume();
  expect(seen).toEqual(["a"]);
});
