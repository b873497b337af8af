/** How the gateway names itself: as a subprotocol, and in the `via` header of its upgrade response. */
export const GATEWAY_NAME = "exec-server-gateway";
