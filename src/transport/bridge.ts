import type { Connection } from "./transport.ts";

/** More than this waiting for the slower side holds the faster one up. */
const MAX_QUEUED_BYTES = 1024 * 1024;

/** Which side ended, with everything that came from it passed on; or which one sent more than it may in one frame. */
export interface BridgeEnd {
  readonly side: "left" | "right";
  readonly tooLong: boolean;
}

/**
 * Passes frames on between two connections, unread, in both directions and at the pace of the slower side. Resolves
 * when one of them has ended; the other is then for the caller to close.
 *
 * @param maxLengths Longest frame in characters from either side; a longer one is not passed on, nor what follows it.
 */
export function bridge(
  left: Connection,
  right: Connection,
  maxLengths: { readonly left: number; readonly right: number },
): Promise<BridgeEnd> {
  return new Promise((resolve) => {
    pass(left, right, maxLengths.left, (tooLong) => resolve({ side: "left", tooLong }));
    pass(right, left, maxLengths.right, (tooLong) => resolve({ side: "right", tooLong }));
  });
}

function pass(from: Connection, to: Connection, maxLength: number, onOver: (tooLong: boolean) => void): void {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let held = false;
  let over = false;
  const hold = async (): Promise<void> => {
    held = true;
    from.flow?.pause();
    // Ends with the connection, too: then what is left of the faster side is to be read up to its end.
    await to.flow?.drained();
    held = false;
    from.flow?.resume();
  };
  const end = (tooLong: boolean): void => {
    over = true;
    onOver(tooLong);
  };
  from.start({
    onFrame(frame) {
      if (over) return;
      if (frame.length > maxLength) return end(true);
      to.send(typeof frame === "string" ? frame : decoder.decode(frame));
      if (!held && to.flow && to.flow.queuedBytes > MAX_QUEUED_BYTES) void hold();
    },
    onEnd: () => end(false),
  });
}
