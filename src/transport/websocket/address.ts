import { UsageError } from "../../errors.ts";
import type { Awaitable } from "../../internal/awaitable.ts";

/** Where one dial goes, with the credentials for just this dial. */
export interface WebSocketAddress {
  /** A `ws:` or `wss:` URL; a fragment is dropped. Anything else is a UsageError `ERR_INVALID_ARGUMENT`. */
  readonly url: string | URL;
  /** Added to the `protocols` option. The only place beside the URL where a browser can put a credential. */
  readonly protocols?: string | readonly string[] | undefined;
  /** Laid over the `headers` option. Not possible in a browser. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/**
 * A `ws:` or `wss:` URL, or a function that is asked for one before every dial, so that short-lived tokens are fresh.
 * Its `signal` aborts when nobody waits for the connection any more.
 */
export type WebSocketTarget =
  | string
  | URL
  | ((context: { readonly signal: AbortSignal }) => Awaitable<string | URL | WebSocketAddress>);

export interface ResolvedAddress {
  readonly url: URL;
  readonly protocols: string[];
  readonly headers: Record<string, string>;
}

/** Merges what the target says with the fixed options; throws a UsageError for a URL that can't be dialled. */
export function resolveAddress(
  target: string | URL | WebSocketAddress,
  defaults: Pick<WebSocketAddress, "protocols" | "headers"> = {},
): ResolvedAddress {
  const address = typeof target === "string" || target instanceof URL ? { url: target } : target;
  return {
    url: webSocketUrl(address?.url),
    protocols: [...list(defaults.protocols), ...list(address.protocols)],
    headers: { ...defaults.headers, ...address.headers },
  };
}

/** The part of a URL that may be shown. */
export function shownUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

function webSocketUrl(value: string | URL): URL {
  // The text itself is not shown: what can't be parsed can't be redacted either.
  if (!URL.canParse(String(value))) {
    throw new UsageError("ERR_INVALID_ARGUMENT", "The WebSocket URL is not a valid absolute URL");
  }
  const url = new URL(value);
  if (url.protocol !== "ws:" && url.protocol !== "wss:") {
    // Nor is this one's scheme: "user:password@host" has the user for a scheme.
    throw new UsageError("ERR_INVALID_ARGUMENT", "A WebSocket URL starts with ws: or wss:");
  }
  // Browsers refuse to dial a URL with a fragment, and no server ever sees it.
  url.hash = "";
  return url;
}

function list(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === "string" ? [value] : value;
}
