import { WebSocket } from "ws";
import {
  webSocket as rootWebSocket,
  type WebSocketOptions,
  type WebSocketTarget,
} from "../../../src/index.ts";
import { webSocket as nodeWebSocket } from "../../../src/node.ts";

/**
 * Both entries on the same socket, whatever WebSocket this Node has of its own: only `ws` tells HTTP statuses and
 * system errors.
 */
export const ENTRIES = [
  [
    "root entry",
    (target: WebSocketTarget, options?: WebSocketOptions) => rootWebSocket(target, { ...options, WebSocket }),
  ],
  ["node entry", nodeWebSocket],
] as const;
