/** How the gateway closes a page's socket. A page sees the code as `closeCode` of its error, and the reason in its message. */
export const CLOSE_CODES = {
  /** The exec-server's connection ended. Everything received from it was passed on before. */
  upstreamEnded: { code: 4001, reason: "the exec-server's connection ended" },
  /** The exec-server could not be reached. */
  upstreamUnreachable: { code: 4002, reason: "the exec-server can't be reached" },
  /** The exec-server sent a message longer than `maxUpstreamMessageBytes`. */
  upstreamMessageTooLong: { code: 4003, reason: "the exec-server's message is too long" },
  /** `authorize` refused the page: its token is wrong, or its session is unknown. */
  unauthorized: { code: 4401, reason: "the gateway refused the token" },
  /** `expiresAt`, `idleTimeoutMs` or `maxDurationMs` has passed. */
  expired: { code: 4408, reason: "the gateway ended the session, which had expired or was idle" },
  /** The page was ended with `end()`, or by a newer page of the same user. */
  ended: { code: 4409, reason: "the gateway ended the session" },
  /** `authorize` threw, took too long or returned something invalid. */
  checkFailed: { code: 4500, reason: "the gateway could not check the token" },
  /** `maxConnections` pages are connected. */
  full: { code: 4503, reason: "the gateway is full" },
  /** The gateway is shutting down. */
  gatewayClosing: { code: 1001, reason: "the gateway is closing" },
} as const;

/** A close code with its text for the page. */
export interface CloseCode {
  readonly code: number;
  readonly reason: string;
}
