import type { FileSession } from "../filesystem/filesystem.ts";
import { FileHandles } from "../filesystem/handles.ts";
import { PathWatcher } from "../filesystem/path-watcher.ts";
import { Bodies } from "../http/body.ts";
import type { HttpSession } from "../http/fetch.ts";
import { Processes } from "../process/processes.ts";
import type { ResultOf } from "../protocol/methods.ts";
import type { ConnectionFailure } from "../rpc/errors.ts";
import type { Ending, RpcPeer } from "../rpc/peer.ts";
import type { Router } from "../rpc/router.ts";

/** Milliseconds. */
export interface SessionTimings {
  readonly dialMs: number;
  readonly handshakeMs: number;
}

/** How a session ended, and what it took along. */
export interface SessionEnding {
  /** The server said goodbye, the connection broke without one, or this side ended it. */
  readonly closedBy: "client" | "server" | "network";
  /** What had not come to its end: requests by method, processes, and bodies of HTTP responses. */
  readonly pending: {
    /** Requests without an answer, counted by method. */
    readonly requests: Readonly<Record<string, number>>;
    /** Processes that were not closed. */
    readonly processes: number;
    /** HTTP response bodies that had not come to their end. */
    readonly bodies: number;
  };
}

/** Everything that lives and dies with one connection. */
export class Session implements FileSession, HttpSession {
  readonly id: string;
  readonly rpc: RpcPeer;
  readonly processes: Processes;
  readonly files: FileHandles;
  readonly missing: PathWatcher;
  readonly bodies = new Bodies();
  readonly canWriteBlocks: boolean;
  readonly timings: SessionTimings;
  /** Set when the connection is over. */
  ending: SessionEnding | undefined;
  /** Asked for every notification, so made once; in the order in which things fail. */
  readonly #routers: readonly Pick<Router<never, never>, "acceptFrame" | "accept" | "failAll">[];

  constructor(
    rpc: RpcPeer,
    { sessionId, environmentInfo: info }: ResultOf<"initialize">,
    timings: SessionTimings,
  ) {
    this.id = sessionId;
    this.timings = timings;
    this.rpc = rpc;
    this.processes = new Processes(rpc, {
      sessionId,
      cwd: info?.cwd ?? undefined,
      isPosix: info?.platformOs != null && info.platformOs !== "windows",
    });
    this.files = new FileHandles(rpc);
    this.missing = new PathWatcher(rpc);
    this.canWriteBlocks = info?.capabilities?.["fileWriteStreaming"] === true;
    this.#routers = [this.processes.router, this.bodies.router, this.missing.router];
  }

  onFrame(frame: string | Uint8Array): boolean {
    for (const router of this.#routers) if (router.acceptFrame(frame)) return true;
    return false;
  }

  onNotification(method: string, params: unknown): void {
    for (const router of this.#routers) router.accept(method, params);
  }

  /** Fails what hangs on the connection: processes first, then bodies. */
  onEnd(failure: ConnectionFailure, { closedBy, unanswered }: Ending): void {
    const requests: Record<string, number> = {};
    for (const method of unanswered) requests[method] = (requests[method] ?? 0) + 1;
    const [processes, bodies] = [this.processes.router.size, this.bodies.router.size];
    this.ending = { closedBy, pending: { requests, processes, bodies } };
    for (const router of this.#routers) router.failAll(failure);
  }
}
