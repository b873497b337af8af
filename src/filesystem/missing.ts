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
      if (watching) await untilAborted(appeared.promise, signal);
      else await this.#checkPresent(missing, signal);
    } finally {
      release();
      if (signal?.aborted) {
        void unobserved(this.#rpc.call("fs/watchMissing", { watchId, missing: [] }, { urgent: true }));
      }
    }
  }

  /** The server does not watch when something is there already, but neither when a path can't ever appear. */
  async #checkPresent(paths: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    const found = await Promise.allSettled(
      paths.map((path) => this.#rpc.call("fs/getMetadata", { path, sandbox: null }, { signal })),
    );
    if (found.some(({ status }) => status === "fulfilled")) return;
    for (const result of found) {
      // Missing again, or a link that leads nowhere: it has been there.
      if (result.status === "rejected" && result.reason?.kind !== "not-found") throw result.reason;
    }
  }
}
