import { invalid, received } from "../../internal/arguments.ts";
import type { Awaitable } from "../../internal/awaitable.ts";
import { NOT_IN_HEADERS, TOKEN } from "../../internal/http-syntax.ts";
import {
  anything,
  aString,
  checkOptions,
  either,
  type Rules,
  stringList,
  stringRecord,
} from "../../internal/option-rules.ts";
import { isUrl } from "../../internal/realms.ts";
import type { TargetContext } from "../transport.ts";

/** The address of one dial, with the credentials for this dial only. */
export interface WebSocketAddress {
  /** A `ws:` or `wss:` URL; a fragment is dropped. Anything else is a UsageError `ERR_INVALID_ARGUMENT`. */
  readonly url: string | URL;
  /** Added to the `protocols` option. The only place besides the URL where a browser can put a credential. */
  readonly protocols?: string | readonly string[] | undefined;
  /** Laid over the `headers` option. Not possible in a browser. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/**
 * A `ws:` or `wss:` URL, or a function that returns one. The function is called before every dial, so that short-lived
 * tokens are fresh. Its `signal` aborts when the last caller that waits for the connection has aborted.
 */
export type WebSocketTarget =
  | string
  | URL
  | ((context: TargetContext) => Awaitable<string | URL | WebSocketAddress>);

export const OFFER_RULES: Rules<Pick<WebSocketAddress, "protocols" | "headers">> = {
  protocols: either(aString, stringList),
  headers: stringRecord,
};

/** The URL is checked where it is parsed. */
const ADDRESS_RULES: Rules<WebSocketAddress> = { ...OFFER_RULES, url: anything };

export interface ResolvedAddress {
  readonly url: URL;
  readonly protocols: string[];
  readonly headers: Record<string, string>;
}

/** Merges the target with the fixed options. Throws a UsageError for a URL that can't be dialled. */
export function resolveAddress(
  target: string | URL | WebSocketAddress,
  defaults: Pick<WebSocketAddress, "protocols" | "headers"> = {},
): ResolvedAddress {
  const isAddress = typeof target === "object" && target !== null && !isUrl(target);
  const address = isAddress ? target : { url: target };
  if (isAddress) checkOptions("The target of webSocket()", target, ADDRESS_RULES);
  return {
    url: webSocketUrl(address.url),
    protocols: [...list(defaults.protocols), ...list(address.protocols)],
    headers: { ...lowerCased(defaults.headers), ...lowerCased(address.headers) },
  };
}

/** Throws a UsageError for what no runtime sends: none says what is wrong. No text is quoted: it can be a credential. */
export function checkOffer({ protocols, headers }: ResolvedAddress): void {
  for (const [at, protocol] of protocols.entries()) {
    if (!TOKEN.test(protocol)) refuse(`protocols must be HTTP tokens, got ${flawOf(protocol)}`);
    if (protocols.indexOf(protocol) < at) refuse("protocols must be distinct, got one twice");
  }
  for (const [name, value] of Object.entries(headers)) {
    if (!TOKEN.test(name)) refuse("headers must have names that are HTTP tokens, got another name");
    if (NOT_IN_HEADERS.test(value))
      refuse(`the header ${name} must be text of one line, got ${flawOf(value)}`);
  }
}

function refuse(problem: string): never {
  return invalid(`webSocket(): ${problem}`, { delivery: "not-sent" });
}

function flawOf(text: string): string {
  if (text === "") return "an empty string";
  return text === text.trim()
    ? "one with a character that can't be sent"
    : "one with a line end or white space around it: trim it";
}

/** A URL without user info and query, for error messages. */
export function shownUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/** No message quotes the URL: one that can't be parsed can't be redacted, and "user:secret@host" has the scheme "user:". */
function webSocketUrl(value: string | URL): URL {
  if (!URL.canParse(String(value))) {
    const got =
      typeof value === "string" && value !== ""
        ? "a string that is not a valid absolute URL"
        : received(value);
    invalid(`The target of webSocket() must be a ws: or wss: URL, got ${got}`);
  }
  const url = new URL(value);
  if (url.protocol !== "ws:" && url.protocol !== "wss:") {
    const got = /^https?:$/.test(url.protocol)
      ? `an ${url.protocol} URL: use ${url.protocol.replace("http", "ws")} instead`
      : "a URL with another scheme";
    invalid(`The target of webSocket() must be a ws: or wss: URL, got ${got}`);
  }
  // Browsers refuse to dial a URL with a fragment, and a fragment is never sent to the server.
  url.hash = "";
  return url;
}

/** The members that are not undefined. */
export function given<T>(members: Readonly<Record<string, T | undefined>> = {}): Record<string, T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Record<
    string,
    T
  >;
}

/** A runtime would send both values of a name in two spellings. */
function lowerCased(headers: WebSocketAddress["headers"]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(given(headers)).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

function list(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === "string" ? [value] : value;
}
