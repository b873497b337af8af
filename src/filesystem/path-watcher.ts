import { untilAborted } from "../internal/abort.ts";
import { type Deferred, deferred } from "../internal/deferred.ts";
import { markShared } from "../internal/operation.ts";
import { fileSystemSchemas } from "../protocol/filesystem.ts";
import type { RpcPeer } from "../rpc/peer.ts";
import { Router, reader } from "../rpc/router.ts";

interface Watch {
  readonly paths: readonly string[];
  readonly appeared: Deferred<void>;
  /** Whether its paths were missing when the server last checked them. */
  checked: boolean;
}

/**
 * Waits on one connection for paths to appear. The server keeps one list of paths per connection. It notifies once, and
 * also when only a parent directory has appeared. So all watches share the list, and each is checked again.
 */
export class PathWatcher {
  readonly #router: Router<number, true>;
  readonly #rpc: RpcPeer;
  readonly #watches = new Set<Watch>();
  #lastId = 0;
  /** The paths that the server watches, as JSON. */
  #watched = "[]";
  #releaseRoute = (): void => {};
  #updating = false;
  #isStale = false;

  constructor(rpc: RpcPeer) {
    this.#rpc = rpc;
    this.#router = new Router<number, true>(rpc, "watchId", "number", {
      "fs/missingChanged": reader(fileSystemSchemas.missingChanged, () => true),
    });
  }

  async whenAppears(paths: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    const watch: Watch = { paths, appeared: deferred<void>(), checked: false };
    this.#watches.add(watch);
    void this.#update();
    try {
      await untilAborted(watch.appeared.promise, signal);
    } finally {
      this.#watches.delete(watch);
      void this.#update();
    }
  }

  /** Sends the paths of all watches to the server. One update at a time, because each list replaces the one before. */
  async #update(): Promise<void> {
    this.#isStale = true;
    if (this.#updating) return;
    this.#updating = true;
    try {
      while (this.#isStale) {
        this.#isStale = false;
        for (const watch of this.#watches) if (!watch.checked) await this.#check(watch);
        await this.#sendAll();
      }
    } catch (error) {
      this.#failAll(error);
    } finally {
      this.#updating = false;
    }
  }

  /** Sends the paths of one watch alone, because the server does not report which path of a list exists. */
  async #check(watch: Watch): Promise<void> {
    watch.checked = true;
    try {
      if (await this.#send(watch.paths)) return;
      await this.#checkPresent(watch.paths);
      watch.appeared.resolve();
    } catch (error) {
      watch.appeared.reject(error);
    }
    this.#watches.delete(watch);
  }

  async #sendAll(): Promise<void> {
    const all = [...this.#watches].flatMap(({ paths }) => paths);
    if (JSON.stringify(all) === this.#watched) return;
    if (!(await this.#send(all)) && all.length > 0) this.#checkAgain();
  }

  /** Returns whether the server watches the paths: not if one of them exists or can't be watched. */
  async #send(paths: readonly string[]): Promise<boolean> {
    const watchId = ++this.#lastId;
    this.#releaseRoute();
    this.#releaseRoute = this.#router.add(watchId, {
      accept: () => {
        this.#watched = "[]";
        this.#checkAgain();
        void this.#update();
      },
      // A request in flight rejects too, with a more precise error.
      fail: (error) => (this.#updating ? this.#checkAgain() : this.#failAll(error)),
    });
    // If the request rejects, it is unknown which list the server has.
    this.#watched = "[]";
    let watching = false;
    try {
      ({ watching } = await this.#rpc.call("fs/watchMissing", { watchId, missing: paths }));
    } finally {
      // A route keeps a Node process alive.
      if (!watching || paths.length === 0) this.#releaseRoute();
    }
    this.#watched = watching ? JSON.stringify(paths) : "[]";
    return watching;
  }

  #checkAgain(): void {
    for (const watch of this.#watches) watch.checked = false;
    this.#isStale = true;
  }

  #failAll(error: unknown): void {
    this.#releaseRoute();
    if (this.#watches.size > 1) markShared(error);
    for (const watch of this.#watches) watch.appeared.reject(error);
    this.#watches.clear();
  }

  /** The server does not watch a path that exists, nor one that can never exist. Only the latter rejects. */
  async #checkPresent(paths: readonly string[]): Promise<void> {
    const found = await Promise.allSettled(
      paths.map((path) => this.#rpc.call("fs/getMetadata", { path, sandbox: null })),
    );
    if (found.some(({ status }) => status === "fulfilled")) return;
    for (const result of found) {
      // Not found now: the path has disappeared again, or is a link without a target. Both have appeared.
      if (result.status === "rejected" && result.reason?.kind !== "not-found") throw result.reason;
    }
  }
}
