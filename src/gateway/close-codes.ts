/** A close code with its text for the page. */
export interface CloseCode<Code extends number = number> {
  /** The code of the WebSocket's close frame. */
  readonly code: Code;
  /** The reason in the close frame. */
  readonly reason: string;
}

/** The close codes of a gateway, by what they mean. */
export interface CloseCodes {
  /** The exec-server's connection ended. Everything received from it was passed on before. */
  readonly upstreamEnded: CloseCode<4001>;
  /** The exec-server could not be reached. */
  readonly upstreamUnreachable: CloseCode<4002>;
  /** The exec-server sent a message longer than `maxUpstreamMessageBytes`. */
  readonly upstreamMessageTooLong: CloseCode<4003>;
  /** `authorize` refused the page: its token is wrong, or its session is unknown. */
  readonly unauthorized: CloseCode<4401>;
  /** `expiresAt`, `idleTimeoutMs` or `maxDurationMs` has passed. */
  readonly expired: CloseCode<4408>;
  /** The page was ended with `end()`, or by a newer page of the same user. */
  readonly ended: CloseCode<4409>;
  /** `authorize` threw, took too long or returned something invalid. */
  readonly checkFailed: CloseCode<4500>;
  /** `maxConnections` pages are connected, or too many of the user are still ending. */
  readonly full: CloseCode<4503>;
  /** The gateway is shutting down. */
  readonly gatewayClosing: CloseCode<1001>;
}

/**
 * How the gateway closes a page's socket. A page sees the code as `closeCode` of its error, and the reason in its message.
 *
 * @example
 * import { CLOSE_CODES } from "exec-server-sdk/gateway";
 *
 * client.onStateChange(({ error }) => {
 *   const { closeCode } = (error ?? {}) as { closeCode?: number };
 *   if (closeCode === CLOSE_CODES.unauthorized.code) console.log("Sign in again");
 * });
 */
export const CLOSE_CODES: CloseCodes = {
  upstreamEnded: { code: 4001, reason: "the exec-server's connection ended" },
  upstreamUnreachable: { code: 4002, reason: "the exec-server can't be reached" },
  upstreamMessageTooLong: { code: 4003, reason: "the exec-server's message is too long" },
  unauthorized: { code: 4401, reason: "the gateway refused the token" },
  expired: { code: 4408, reason: "the gateway ended the session, which had expired or was idle" },
  ended: { code: 4409, reason: "the gateway ended the session" },
  checkFailed: { code: 4500, reason: "the gateway could not check the token" },
  full: { code: 4503, reason: "the gateway is full" },
  gatewayClosing: { code: 1001, reason: "the gateway is closing" },
};
