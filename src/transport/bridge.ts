import type { Connection } from "./transport.ts";

/** More than this waiting for the slower side holds the faster one up. */
const MAX_QUEUED_BYTES = 1024 * 1024;

/** Which side ended, with everything that came from it passed on. */
export type BridgeEnd = "left" | "right";

/**
 * Passes frames on between two connections, unread, in both directions and at the pace of the slower side. Resolves
 * when one of them has ended; the other is then for the caller to close.
 */
export function bridge(left: Connection, right: Connection): Promise<BridgeEnd> {
  return new Promise((resolve) => {
    pass(left, right, () => resolve("left"));
    pass(right, left, () => resolve("right"));
  });
}

function pass(from: Connection, to: Connection, onEnd: () => void): void {
  const decoder = new TextDecoder();
  let held = false;
  const hold = async (): Promise<void> => {
    held = true;
    from.flow?.pause();
    await to.flow?.drained();
    held = false;
    from.flow?.resume();
  };
  from.start({
    onFrame(frame) {
      to.send(typeof frame === "string" ? frame : decoder.decode(frame));
      if (!held && to.flow && to.flow.queuedBytes > MAX_QUEUED_BYTES) void hold();
    },
    onEnd,
  });
}
