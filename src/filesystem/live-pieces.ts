import type { Contents } from "../internal/contents.ts";
import { liveSignal } from "../rpc/live-signal.ts";
import type { RpcPeer } from "../rpc/peer.ts";

/** The pieces of contents, until the connection ends: a call that waits for its source would never notice. */
export async function* livePieces(
  rpc: RpcPeer,
  contents: Contents,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  if (contents.bytes) {
    yield contents.bytes;
    return;
  }
  const live = liveSignal(rpc, signal, "unknown");
  try {
    yield* contents.pieces(live.signal);
  } finally {
    live.unlink();
  }
}
