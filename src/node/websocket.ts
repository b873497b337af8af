import type { Transport } from "../transport/transport.ts";
import type { WebSocketTarget } from "../transport/websocket/address.ts";
import { WS_OPTIONS } from "../transport/websocket/connection.ts";
import { type WebSocketOptions, webSocketTransport } from "../transport/websocket/websocket.ts";
import { ClientSocket } from "./client-socket.ts";

/**
 * Like the root entry's `webSocket()`, but always on the `ws` package, whatever WebSocket the runtime has of its own:
 * headers are sent on every Node version, and a refused upgrade tells its HTTP status (`ConnectError.status`).
 *
 * @throws UsageError `ERR_INVALID_ARGUMENT` at once for a fixed target that is no `ws:` or `wss:` URL.
 */
export function webSocket(target: WebSocketTarget, options: WebSocketOptions = {}): Transport {
  return webSocketTransport(target, options, ({ url, protocols, headers }) => {
    return new ClientSocket(url, protocols, { ...WS_OPTIONS, headers });
  });
}
