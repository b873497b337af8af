/** For Node: lets the pages of a web application reach an exec-server, which refuses every request of a browser. */
export { createGateway, type Gateway } from "./gateway/gateway.ts";
export { GATEWAY_PROTOCOL, type GatewayOptions } from "./gateway/options.ts";
export { CLOSE_CODES } from "./gateway/page-link.ts";
