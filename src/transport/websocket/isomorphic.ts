import { WebSocket } from "isows";
import type { Transport } from "../transport.ts";
import type { WebSocketTarget } from "./address.ts";
import { webSocket as native, type RuntimeWebSocketOptions } from "./websocket.ts";

/**
 * Connects to an exec-server over a WebSocket. After a connection has ended, the next use opens a new one.
 *
 * @param target The URL. A function is called before every dial.
 * @param options `WebSocket` replaces the constructor. By default that is the runtime's own, or that of `ws` on Node 20.
 * @throws UsageError `ERR_INVALID_ARGUMENT` at once for a fixed target that is no `ws:` or `wss:` URL.
 * @example
 * import { webSocket } from "exec-server-sdk";
 *
 * const direct = webSocket("ws://127.0.0.1:8080");
 * const throughGateway = webSocket(async ({ signal }) => {
 *   const response = await fetch("/api/exec-token", { signal });
 *   return { url: "wss://ide.example/exec", protocols: ["exec-server-gateway", await response.text()] };
 * });
 */
export function webSocket(target: WebSocketTarget, options: RuntimeWebSocketOptions = {}): Transport {
  return native(target, options, WebSocket);
}
