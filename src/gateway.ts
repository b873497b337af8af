/**
 * For Node: lets the pages of a web application reach an exec-server, which refuses requests from browsers.
 * @module exec-server-sdk/gateway
 */
export { createGateway, type Gateway } from "./gateway/gateway.ts";
export {
  CLOSE_CODES,
  GATEWAY_PROTOCOL,
  type GatewayCloseOptions,
  type GatewayListenOptions,
  type GatewayOptions,
  type PageEvent,
} from "./gateway/options.ts";
