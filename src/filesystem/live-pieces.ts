import type { Contents } from "../internal/contents.ts";
import { liveSignal } from "../rpc/live-signal.ts";
import type { RpcPeer } from "../rpc/peer.ts";

/** The pieces of contents, until the connection ends: nothing else ends a call that waits for its source. */
export async function* livePieces(
  rpc: RpcPeer,
  contents: Contents,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  if (contents.bytes) {
    yield contents.bytes;
    return;
  }
  let isTaken = false;
  const live = liveSignal(
    (listener) => rpc.onEnd(listener),
    signal,
    () => (isTaken ? "unknown" : "not-sent"),
  );
  try {
    for await (const piece of contents.pieces(live.signal)) {
      yield piece;
      isTaken = true;
    }
  } finally {
    live.unlink();
  }
}
