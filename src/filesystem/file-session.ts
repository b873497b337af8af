import type { RpcPeer } from "../rpc/peer.ts";
import type { FileHandles } from "./handles.ts";
import type { PathWatcher } from "./path-watcher.ts";

/** What the file operations use of a connection. */
export interface FileSession {
  readonly rpc: RpcPeer;
  readonly files: FileHandles;
  readonly watcher: PathWatcher;
  /** Whether the server writes files in blocks. Older servers write them whole only. */
  readonly canWriteBlocks: boolean;
}
