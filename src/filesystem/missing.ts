import { untilAborted } from "../internal/deadline.ts";
import { deferred, unobserved } from "../internal/deferred.ts";
import { fileSystemSchemas } from "../protocol/filesystem.ts";
import type { RpcPeer } from "../rpc/peer.ts";
import { Router } from "../rpc/router.ts";

/** Waits on one connection for paths to appear. The server tells once; then the watch is over. */
export class MissingWatches {
  readonly router = new Router<number, true>("watchId", "number", {
    "fs/missingChanged": (params) =>
      fileSystemSchemas.missingChanged.safeParse(params).success ? true : undefined,
  });
  readonly #rpc: RpcPeer;
  #nextId = 1;

  constructor(rpc: RpcPeer) {
    this.#rpc = rpc;
  }

  async whenAppears(missing: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    const watchId = this.#nextId++;
    const appeared = deferred<void>();
    void unobserved(appeared.promise);
    const release = this.router.add(watchId, { accept: () => appeared.resolve(), fail: appeared.reject });
    try {
      const { watching } = await this.#rpc.call("fs/watchMissing", { watchId, missing }, { signal });
      // Something is there already.
      if (watching) await untilAborted(appeared.promise, signal);
    } finally {
      release();
      if (signal?.aborted) {
        void unobserved(this.#rpc.call("fs/watchMissing", { watchId, missing: [] }, { urgent: true }));
      }
    }
  }
}
