import { settledWithin } from "../internal/timer.ts";
import type { Connection, ConnectionEnd } from "./transport.ts";

/** More than this waiting for the slower side holds the faster one up. */
const MAX_QUEUED_BYTES = 1024 * 1024;
/** How long a client's last words may take to reach the server; one that is stuck is freed by being left. */
const LAST_WORDS_MS = 5_000;
/** A connection promises to close within two seconds; a custom one may break its promise. */
const CLOSE_MS = 3_000;

/** Which side ended, with everything that came from it passed on; or which one sent more than it may in one frame. */
export interface ProxyEnd {
  readonly side: "client" | "server";
  readonly tooLong: boolean;
  /** How that side ended. */
  readonly end: ConnectionEnd;
}

export interface ProxyOptions {
  /** Longest frame in characters from either side; a longer one is not passed on, nor what follows it. */
  readonly maxLengths: { readonly client: number; readonly server: number };
  /** Ends both, without waiting for what is still under way. */
  readonly cut: Promise<void>;
  /** Takes leave of the client and closes its connection; undefined stands for the cut. Must not reject. */
  readonly part: (end: ProxyEnd | undefined) => Promise<void>;
}

/**
 * Passes frames on between a client and a server, unread, in both directions and at the pace of the slower side. The
 * end of either, with everything that came from it passed on, is the end of both. Resolves when both are closed.
 */
export async function join(
  client: Connection,
  server: Connection,
  { maxLengths, cut, part }: ProxyOptions,
): Promise<ProxyEnd | undefined> {
  const end = await Promise.race([firstEnd(client, server, maxLengths), cut.then(() => undefined)]);
  if (end?.side === "client") {
    await settledWithin(Promise.race([server.flow?.drained(), cut]), LAST_WORDS_MS);
  }
  await Promise.all([closed(server), part(end)]);
  return end;
}

/** Closes a connection, whatever that makes of its promises. */
export function closed(connection: Connection): Promise<void> {
  return settledWithin(connection.close(), CLOSE_MS);
}

function firstEnd(
  client: Connection,
  server: Connection,
  maxLengths: ProxyOptions["maxLengths"],
): Promise<ProxyEnd> {
  return new Promise((resolve) => {
    pass(client, server, maxLengths.client, (how) => resolve({ side: "client", ...how }));
    pass(server, client, maxLengths.server, (how) => resolve({ side: "server", ...how }));
  });
}

function pass(
  from: Connection,
  to: Connection,
  maxLength: number,
  onOver: (how: Omit<ProxyEnd, "side">) => void,
): void {
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
  from.start({
    onFrame(frame) {
      if (over) return;
      if (frame.length > maxLength) {
        over = true;
        onOver({ tooLong: true, end: {} });
        return;
      }
      to.send(typeof frame === "string" ? frame : decoder.decode(frame));
      if (!held && to.flow && to.flow.queuedBytes > MAX_QUEUED_BYTES) void hold();
    },
    onEnd: (end) => onOver({ tooLong: false, end }),
  });
}
