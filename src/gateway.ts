/**
 * For Node: lets the pages of a web application reach an exec-server, which refuses requests from browsers.
 *
 * In the examples, `gateway` is what {@link createGateway} returns, and `client` a client in a page.
 * @module exec-server-sdk/gateway
 */
export type { Authorized, AuthorizeFunction } from "./gateway/authorization.ts";
export { CLOSE_CODES, type CloseCode, type CloseCodes } from "./gateway/close-codes.ts";
export type {
  CloseReason,
  GatewayEvent,
  GatewayEventReason,
  GatewayPage,
  RefusalReason,
} from "./gateway/events.ts";
export { createGateway, type Gateway, type GatewayAddress } from "./gateway/gateway.ts";
export {
  GATEWAY_PROTOCOL,
  type GatewayCloseOptions,
  type GatewayListenOptions,
  type GatewayOptions,
  type TokenOption,
  type TokensOption,
  type UpstreamContext,
} from "./gateway/options.ts";
