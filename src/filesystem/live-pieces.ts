import { linkedController } from "../internal/abort.ts";
import type { Contents } from "../internal/contents.ts";
import { failureOfCall } from "../rpc/errors.ts";
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
  const { controller, unlink } = linkedController(signal);
  const forget = rpc.onEnd((failure) => controller.abort(failureOfCall(failure, "unknown")));
  try {
    yield* contents.pieces(controller.signal);
  } finally {
    forget();
    unlink();
  }
}
