import { WebSocket } from "ws";
import {
  webSocket as rootWebSocket,
  type WebSocketOptions,
  type WebSocketTarget,
} from "../../../src/index.ts";
import { webSocket as nodeWebSocket } from "../../../src/node.ts";

/**
 * `webSocket()` of both entries, both on `ws`: the WebSocket of newer Node versions reports neither HTTP statuses nor
 * system errors.
 */
export const ENTRIES = [
  [
    "root entry",
    (target: WebSocketTarget, options?: WebSocketOptions) => rootWebSocket(target, { ...options, WebSocket }),
  ],
  ["node entry", nodeWebSocket],
] as const;
