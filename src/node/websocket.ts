import type { Transport } from "../transport/transport.ts";
import type { WebSocketTarget } from "../transport/websocket/address.ts";
import { type WebSocketOptions, WS_OPTIONS, webSocketTransport } from "../transport/websocket/websocket.ts";
import { ClientSocket } from "./client-socket.ts";

/**
 * Like the root entry's `webSocket()`, but always on the `ws` package instead of the runtime's WebSocket: headers are sent
 * on every Node version, and the HTTP status of a refused upgrade is known (`ConnectError.status`).
 *
 * @throws UsageError `ERR_INVALID_ARGUMENT` at once for a fixed target that is no `ws:` or `wss:` URL.
 */
export function webSocket(target: WebSocketTarget, options: WebSocketOptions = {}): Transport {
  return webSocketTransport(target, options, ({ url, protocols, headers }) => {
    return new ClientSocket(url, protocols, { ...WS_OPTIONS, headers });
  });
}
