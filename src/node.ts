/**
 * For Node and Electron's main process: the transports that need Node. Kept apart from the root entry, so that a
 * browser bundle never meets `node:` or `ws`.
 * @module exec-server-sdk/node
 */
export { type StdioOptions, stdio } from "./node/stdio.ts";
export { type AgentLike, type NodeWebSocketOptions, webSocket } from "./node/websocket.ts";
