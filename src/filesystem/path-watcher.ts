import { untilAborted } from "../internal/abort.ts";
import { type Deferred, deferred } from "../internal/deferred.ts";
import { fileSystemSchemas } from "../protocol/filesystem.ts";
import type { RpcPeer } from "../rpc/peer.ts";
import { Router, reader } from "../rpc/router.ts";

interface Wait {
  readonly paths: readonly string[];
  readonly appeared: Deferred<void>;
  /** Whether its paths were missing when the server was last asked. */
  checked: boolean;
}

/**
 * Waits on one connection for paths to appear. The server keeps one list of paths per connection, and tells once, also
 * when only a directory on the way has appeared. So all who wait share the list, and each is looked at again.
 */
export class PathWatcher {
  readonly #router: Router<number, true>;
  readonly #rpc: RpcPeer;
  readonly #waits = new Set<Wait>();
  #lastId = 0;
  /** What the server watches, as JSON. */
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
    const wait: Wait = { paths, appeared: deferred<void>(), checked: false };
    this.#waits.add(wait);
    void this.#update();
    try {
      await untilAborted(wait.appeared.promise, signal);
    } finally {
      this.#waits.delete(wait);
      void this.#update();
    }
  }

  /** Brings the server's list in line with who waits. One at a time: each list replaces the one before. */
  async #update(): Promise<void> {
    this.#isStale = true;
    if (this.#updating) return;
    this.#updating = true;
    try {
      while (this.#isStale) {
        this.#isStale = false;
        for (const wait of this.#waits) if (!wait.checked) await this.#check(wait);
        await this.#watchAll();
      }
    } catch (error) {
      this.#failAll(error);
    } finally {
      this.#updating = false;
    }
  }

  /** Asks for the paths of one wait alone, since the server does not tell which of a list is there. */
  async #check(wait: Wait): Promise<void> {
    wait.checked = true;
    try {
      if (await this.#watch(wait.paths)) return;
      await this.#checkPresent(wait.paths);
      wait.appeared.resolve();
    } catch (error) {
      wait.appeared.reject(error);
    }
    this.#waits.delete(wait);
  }

  async #watchAll(): Promise<void> {
    const all = [...this.#waits].flatMap(({ paths }) => paths);
    if (JSON.stringify(all) === this.#watched) return;
    if (!(await this.#watch(all)) && all.length > 0) this.#checkAgain();
  }

  /** Returns whether the server watches: not if something of the list is there, or can't be watched. */
  async #watch(missing: readonly string[]): Promise<boolean> {
    const watchId = ++this.#lastId;
    this.#releaseRoute();
    this.#releaseRoute = this.#router.add(watchId, {
      accept: () => {
        this.#watched = "[]";
        this.#checkAgain();
        void this.#update();
      },
      // A question under way fails by itself, and tells more.
      fail: (error) => (this.#updating ? this.#checkAgain() : this.#failAll(error)),
    });
    const { watching } = await this.#rpc.call("fs/watchMissing", { watchId, missing });
    this.#watched = watching ? JSON.stringify(missing) : "[]";
    return watching;
  }

  #checkAgain(): void {
    for (const wait of this.#waits) wait.checked = false;
    this.#isStale = true;
  }

  #failAll(error: unknown): void {
    for (const wait of this.#waits) wait.appeared.reject(error);
    this.#waits.clear();
  }

  /** The server does not watch when something is there already, but neither when a path can't ever appear. */
  async #checkPresent(paths: readonly string[]): Promise<void> {
    const found = await Promise.allSettled(
      paths.map((path) => this.#rpc.call("fs/getMetadata", { path, sandbox: null })),
    );
    if (found.some(({ status }) => status === "fulfilled")) return;
    for (const result of found) {
      // Missing again, or a link that leads nowhere: it has been there.
      if (result.status === "rejected" && result.reason?.kind !== "not-found") throw result.reason;
    }
  }
}
