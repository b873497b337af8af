import { untilAborted } from "../internal/abort.ts";
import { platformClass } from "../internal/platform.ts";
import { settledWithin } from "../internal/timer.ts";
import { type Connection, type ConnectionEnd, closed } from "./transport.ts";

/** More bytes than this queued for the slower side pause the faster one. */
const MAX_QUEUED_BYTES = 1024 * 1024;
/** How long frames queued for the server may take to leave after the client's end. A stuck server is then closed. */
const SERVER_DRAIN_MS = 5_000;

/** The first side that ended, after all its frames were forwarded, or that sent a frame over its limit. */
export interface ProxyEnd {
  readonly side: "client" | "server";
  readonly tooLong: boolean;
  /** How the connection of that side ended. */
  readonly end: ConnectionEnd;
}

export interface ProxyOptions {
  /** Longest frame in characters from either side. A longer one is not forwarded, nor anything after it. */
  readonly maxLengths: { readonly client: number; readonly server: number };
  /** Closes both connections at once, without waiting for queued frames. */
  readonly signal: AbortSignal;
  /** Closes the client's connection; gets undefined after an abort. Must not reject. */
  readonly closeClient: (end: ProxyEnd | undefined) => Promise<void>;
}

/**
 * Forwards frames between a client and a server, unparsed, in both directions and at the pace of the slower side. When
 * one side ends, its remaining frames are forwarded and the other side is closed. Resolves when both are closed.
 */
export async function proxy(
  client: Connection,
  server: Connection,
  { maxLengths, signal, closeClient }: ProxyOptions,
): Promise<ProxyEnd | undefined> {
  const end = await untilAborted(firstEnd(client, server, maxLengths), signal).catch(() => undefined);
  if (end?.side === "client") {
    await settledWithin(untilAborted(Promise.resolve(server.flow?.drained()), signal), SERVER_DRAIN_MS);
  }
  await Promise.all([closed(server), closeClient(end)]);
  return end;
}

function firstEnd(
  client: Connection,
  server: Connection,
  maxLengths: ProxyOptions["maxLengths"],
): Promise<ProxyEnd> {
  return new Promise((resolve) => {
    forward(client, server, maxLengths.client, (how) => resolve({ side: "client", ...how }));
    forward(server, client, maxLengths.server, (how) => resolve({ side: "server", ...how }));
  });
}

function forward(
  from: Connection,
  to: Connection,
  maxLength: number,
  onEnd: (how: Omit<ProxyEnd, "side">) => void,
): void {
  const decoder = new (platformClass("TextDecoder"))("utf-8", { ignoreBOM: true });
  let isPaused = false;
  let isTooLong = false;
  const pauseUntilDrained = async (): Promise<void> => {
    isPaused = true;
    from.flow?.pause();
    // Resolves with the end of the slower side, too. The faster side is then read up to its own end.
    await to.flow?.drained();
    isPaused = false;
    from.flow?.resume();
  };
  from.start({
    releasesFrames: true,
    onFrame(frame) {
      if (isTooLong) return;
      if (frame.length > maxLength) {
        isTooLong = true;
        onEnd({ tooLong: true, end: {} });
        return;
      }
      to.send(typeof frame === "string" ? frame : decoder.decode(frame));
      if (!isPaused && to.flow && to.flow.queuedBytes > MAX_QUEUED_BYTES) void pauseUntilDrained();
    },
    onEnd: (end) => onEnd({ tooLong: false, end }),
  });
}
