import type { FileSession } from "../filesystem/file-session.ts";
import { FileHandles } from "../filesystem/handles.ts";
import { PathWatcher } from "../filesystem/path-watcher.ts";
import { Bodies } from "../http/body.ts";
import type { HttpSession } from "../http/fetch.ts";
import { Processes } from "../process/processes.ts";
import { ScriptRunner } from "../process/script.ts";
import type { ServerFeatures } from "../protocol/features.ts";
import type { Ending } from "../rpc/end-latch.ts";
import type { RpcPeer } from "../rpc/peer.ts";
import { TcpConnections } from "../tcp/connections.ts";

/** What a connection is for, unless it is for all operations. */
export type ConnectionPurpose = "fetch";

/** Milliseconds. */
export interface SessionTimings {
  readonly dialMs: number;
  readonly handshakeMs: number;
}

/** What was pending when a connection ended. */
export interface PendingWork {
  /** The number of requests without a response, by method. */
  readonly requests: Readonly<Record<string, number>>;
  /** The number of processes that were not closed. */
  readonly processes: number;
  /** The number of HTTP response bodies that had not ended. */
  readonly bodies: number;
}

/** How a session ended, and what was pending then. */
export interface SessionEnding {
  /** The server closed the connection, the connection broke without a close, or this side closed it. */
  readonly closedBy: "client" | "server" | "network";
  /** What was pending: requests by method, processes, and HTTP response bodies. */
  readonly pending: PendingWork;
}

/** Everything that belongs to one connection and ends with it. */
export class Session implements FileSession, HttpSession {
  readonly id: string;
  readonly rpc: RpcPeer;
  readonly processes: Processes;
  readonly files: FileHandles;
  readonly bodies: Bodies;
  readonly watcher: PathWatcher;
  readonly shell: ScriptRunner;
  readonly tcp: TcpConnections;
  readonly server: ServerFeatures;
  readonly timings: SessionTimings;
  /** Set when the connection has ended. */
  ending: SessionEnding | undefined;

  constructor(rpc: RpcPeer, server: ServerFeatures, timings: SessionTimings, purpose?: ConnectionPurpose) {
    this.id = rpc.sessionId ?? "";
    this.rpc = rpc;
    this.server = server;
    this.timings = timings;
    this.files = new FileHandles(rpc);
    // What is pending is counted first. Then processes fail, then bodies, then waits for paths.
    rpc.onEnd((_, ending) => this.#recordEnding(ending));
    const processes = new Processes(rpc, { sessionId: this.id, server });
    this.processes = processes;
    this.shell = new ScriptRunner((...command) => processes.start(...command), server);
    this.tcp = new TcpConnections(rpc, this.shell);
    this.bodies = new Bodies(rpc, purpose === "fetch" ? rpc : undefined);
    this.watcher = new PathWatcher(rpc);
  }

  /** Ends the connection with a ClosedError. Settles within two seconds. */
  close(): Promise<void> {
    return this.rpc.close();
  }

  #recordEnding({ closedBy, unanswered }: Ending): void {
    const requests: Record<string, number> = {};
    for (const method of unanswered) requests[method] = (requests[method] ?? 0) + 1;
    this.ending = {
      closedBy,
      // Neither exists yet if the connection ended together with the handshake.
      pending: { requests, processes: this.processes?.size ?? 0, bodies: this.bodies?.size ?? 0 },
    };
  }
}
