/**
 * For Node and Electron's main process: the transports that need Node, transfers of local folders, and forwarded ports.
 * Kept apart from the root entry, so that a browser bundle never meets `node:` or `ws`.
 *
 * In the examples, `client` is a client of either kind.
 * @module exec-server-sdk/node
 */
export { downloadDirectory } from "./node/folders/download.ts";
export type {
  FolderClient,
  FolderEntry,
  FolderOptions,
  FolderProgress,
  FolderResult,
} from "./node/folders/options.ts";
export { uploadDirectory } from "./node/folders/upload.ts";
export { forwardPort, type PortForward } from "./node/ports/forward-port.ts";
export type { ForwardOptions, PortClient } from "./node/ports/options.ts";
export { type StdioOptions, stdio } from "./node/stdio.ts";
export { type AgentLike, type NodeWebSocketOptions, type Pem, webSocket } from "./node/websocket.ts";
