/** Why a page was refused. */
export type RefusalReason =
  /** 404: no gateway serves this path. */
  | "path"
  /** 404: a plain HTTP request for the gateway's path. A reverse proxy that drops the `Upgrade` header sends such. */
  | "no-upgrade"
  /** 400: the request is no valid WebSocket handshake. */
  | "handshake"
  /** 405: the method is not GET. */
  | "method"
  /** 426: the version of WebSocket is not 13. */
  | "version"
  /** 403: there is not exactly one Origin header, or its origin is not allowed. */
  | "origin"
  /** 403: the host is not allowed. */
  | "host"
  /** 400: the page offers other subprotocols, more than eight, one twice, or one with characters that none can have. */
  | "protocols"
  /** 503: `maxHandshakes` are under way. */
  | "handshakes"
  /** 503: the gateway is closing. */
  | "closing"
  /** 4401: `authorize` refused the request. */
  | "unauthorized"
  /** 4500: `authorize` failed. The event has the error. */
  | "check-failed"
  /** 4408: `expiresAt` has passed. */
  | "expired"
  /** 4503: `maxConnections` pages are connected, or too many of the user are still ending. */
  | "full"
  /** The page left while `authorize` was pending. */
  | "page";

/** Why a page's connection ended. */
export type CloseReason =
  /** The page closed it, or its network did. */
  | "page"
  /** The page broke the WebSocket protocol. */
  | "page-protocol"
  /** The page sent a message longer than `maxMessageBytes`. */
  | "page-message-too-long"
  /** The page left four pings unanswered. */
  | "page-silent"
  /** 4001: the exec-server's connection ended. */
  | "upstream-ended"
  /** 4002: the exec-server could not be reached. The event has the error. */
  | "upstream-unreachable"
  /** 4003: the exec-server sent a message longer than `maxUpstreamMessageBytes`. */
  | "upstream-message-too-long"
  /** 4408: no message from the page within `idleTimeoutMs`. */
  | "idle"
  /** 4408: `maxDurationMs` has passed. */
  | "max-duration"
  /** 4408: `expiresAt` has passed. */
  | "expired"
  /** `end()` was called. */
  | "ended"
  /** 4409: a newer page of the same user took its place. */
  | "displaced"
  /** 1001: the gateway is closing. */
  | "closing";

/** Why a page was refused, or its connection ended. */
export type GatewayEventReason = RefusalReason | CloseReason;

/** What happened to one page. Contains no secrets: no token, header, path or query. */
export interface GatewayEvent {
  /**
   * `refused`: the page was not admitted. `connected`: it was, and its exec-server is dialled. `ready`: the exec-server is
   * reached. `closed`: both connections are closed.
   */
  readonly type: "refused" | "connected" | "ready" | "closed";
  /** The same for all events of a page. */
  readonly id: string;
  /** When it happened, in milliseconds since 1970. */
  readonly at: number;
  /**
   * The page's IP address. That of the browser only with `trustProxy`. "unix" on a Unix socket, "unknown" if the page had
   * reset its connection before its request was read.
   */
  readonly address: string;
  /** The page's origin, as sent. Empty if it sent none. */
  readonly origin: string;
  /** The user that `authorize` named, or the name of the token. */
  readonly user?: string | undefined;
  /** Why the page was refused or its connection ended. */
  readonly reason?: GatewayEventReason | undefined;
  /** Of a request that was refused for its host: the host, as sent. */
  readonly host?: string | undefined;
  /** The HTTP status of a refusal without a close code. */
  readonly status?: number | undefined;
  /** The close code of the page's socket; see {@link CLOSE_CODES}. */
  readonly closeCode?: number | undefined;
  /** Bytes on the page's socket in both directions since it was admitted, frame headers included. */
  readonly bytes: number;
  /** The part of `bytes` that the page sent. */
  readonly bytesFromPage: number;
  /** Milliseconds since the request arrived. */
  readonly durationMs: number;
  /** Why the check failed, the exec-server could not be reached, or its transport failed; how its process ended. */
  readonly error?: unknown;
}

/** A connected page. */
export interface GatewayPage {
  /** As in the page's events. */
  readonly id: string;
  /** The user that `authorize` named, or the name of the token. */
  readonly user?: string | undefined;
  /** The page's origin. */
  readonly origin: string;
  /** As in the page's events. */
  readonly address: string;
  /** When the page was admitted, in milliseconds since 1970. */
  readonly since: number;
  /**
   * Closes the page's connection, and that to its exec-server, without waiting for queued messages. Resolves when both
   * are closed.
   *
   * @param code The close code that the page sees: 1000, or 3000 to 4999. @default 4409
   * @throws UsageError `ERR_INVALID_ARGUMENT` for another code.
   * @example
   * for (const page of gateway.pages) if (page.user === "ada") await page.end(4401);
   */
  end(code?: number): Promise<void>;
}
