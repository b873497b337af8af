import WebSocket from "ws";
import { MAX_INCOMING_FRAME, type Transport } from "../transport/transport.ts";
import { type WebSocketOptions, webSocketTransport } from "../transport/websocket.ts";
import type { WebSocketLike } from "../transport/websocket-connection.ts";
import type { WebSocketTarget } from "../transport/websocket-target.ts";

const SOCKET_OPTIONS: WebSocket.ClientOptions & { closeTimeout: number } = {
  perMessageDeflate: false,
  maxPayload: MAX_INCOMING_FRAME,
  // How long a peer that has said goodbye may keep its end of the socket open; missing in the types.
  closeTimeout: 1_000,
};

/**
 * Like the root entry's `webSocket()`, but always on the `ws` package, whatever WebSocket the runtime has of its own:
 * headers are sent on every Node version, and a refused upgrade tells its HTTP status (`ConnectError.status`).
 *
 * @throws UsageError `ERR_INVALID_ARGUMENT` at once for a fixed target that is no `ws:` or `wss:` URL.
 */
export function webSocket(target: WebSocketTarget, options: WebSocketOptions = {}): Transport {
  return webSocketTransport(target, options, ({ url, protocols, headers }) => {
    return new WebSocket(url, protocols, { ...SOCKET_OPTIONS, headers }) as WebSocketLike;
  });
}
