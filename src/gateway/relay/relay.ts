import { untilAborted } from "../../internal/abort.ts";
import { settledWithin } from "../../internal/timer.ts";
import { PromptAck } from "../../node/prompt-ack.ts";
import type { UpgradedStream } from "../../node/upgraded-stream.ts";
import { Endpoint } from "./endpoint.ts";

/** How long frames queued for the server may take to leave after the page's end. A stuck server is then closed. */
const SERVER_DRAIN_MS = 5_000;

export interface RelayOptions {
  /** Closes both connections at once, without waiting for queued frames. */
  readonly signal: AbortSignal;
  /** Closes the page's connection, after a message over the limit if `tooLong`. Must not reject. */
  readonly closePage: (tooLong: boolean) => Promise<void>;
}

/** The server's end of a relay. */
export function serverEndpoint(
  { stream, needsPromptAck }: UpgradedStream,
  maxMessageBytes: number,
): Endpoint {
  const endpoint: Endpoint = new Endpoint(stream, {
    role: "client",
    maxMessageBytes,
    onArrival: (bytes) => ack?.received(bytes),
  });
  const ack = needsPromptAck
    ? new PromptAck(endpoint, () => endpoint.acknowledge(), { isSparing: true })
    : undefined;
  return endpoint;
}

/**
 * Passes the frames of a page and its server on, unread, in both directions and at the pace of the slower side. When one
 * side ends, its remaining frames are passed on and the other side is closed. Resolves when both are closed.
 */
export async function relay(
  page: Endpoint,
  server: Endpoint,
  { signal, closePage }: RelayOptions,
): Promise<void> {
  page.forwardTo(server);
  server.forwardTo(page);
  const first = new Promise<{ tooLong: boolean } | undefined>((resolve) => {
    page.onEnd(() => resolve(undefined));
    server.onEnd(resolve);
  });
  const end = await untilAborted(first, signal).catch(() => ({ tooLong: false }));
  if (!end) await settledWithin(untilAborted(server.drained(), signal), SERVER_DRAIN_MS);
  server.close(1000);
  await Promise.all([server.finish(), closePage(end?.tooLong ?? false)]);
}
