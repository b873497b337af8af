import { invalid, received } from "../internal/arguments.ts";
import { anything, checkOptions } from "../internal/option-rules.ts";
import { isNetwork, networks, type TrustedProxies } from "./address.ts";
import { GATEWAY_PROTOCOL } from "./options.ts";
import { MIN_TOKEN_LENGTH, type TokenEntry, TokenList } from "./tokens.ts";

/** Accepts an origin exactly as a browser sends it: scheme, host and port in normal form, nothing else. */
export function checkedOrigin(origin: unknown): string {
  if (isOrigin(origin)) return origin;
  const suggestion = originSuggestion(origin);
  const hint = suggestion === undefined ? "" : `: did you mean ${JSON.stringify(suggestion)}?`;
  return invalid(
    `allowedOrigins must contain exact origins such as https://ide.example, got ${quoted(origin)}${hint}`,
  );
}

function isOrigin(origin: unknown): origin is string {
  return (
    typeof origin === "string" &&
    URL.canParse(origin) &&
    // The URL standard allows a star in a host name.
    !/^(wss?|ftp):|\*/.test(origin) &&
    new URL(origin).host !== "" &&
    // Custom schemes, such as those of Electron and of extensions, have an origin too, but `URL.origin` is "null".
    `${new URL(origin).protocol}//${new URL(origin).host}` === origin
  );
}

/** The origin that was probably meant: of a URL, of the gateway's own URL, or of a bare host name. */
function originSuggestion(text: unknown): string | undefined {
  if (typeof text !== "string") return undefined;
  const trimmed = text.trim().replace(/^ws(?=s?:)/i, "http");
  const hasScheme = /^[a-z][a-z\d+.-]*:\/\//i.test(trimmed);
  const isLocal = /^(localhost|127\.|\[::1\])/i.test(trimmed);
  const url = hasScheme ? trimmed : `${isLocal ? "http" : "https"}://${trimmed}`;
  if (!URL.canParse(url)) return undefined;
  const { protocol, host } = new URL(url);
  const origin = `${protocol}//${host}`;
  // "null" and words without a dot are no host names that anyone would mean.
  return isOrigin(origin) && (hasScheme || isLocal || host.includes(".")) ? origin : undefined;
}

export function checkedHost(host: unknown): string {
  return typeof host === "string" && /^([\w.-]+|\[[\da-f:.]+\])(:\d+)?$/i.test(host)
    ? host.toLowerCase()
    : invalid(`allowedHosts must contain host names such as ide.example, got ${quoted(host)}`);
}

export function checkedPaths(path: unknown): string[] {
  const paths: unknown[] = Array.isArray(path) ? path : [path];
  if (paths.length === 0) invalid("path must be a path or a non-empty array of paths, got an empty array");
  return paths.map((each) =>
    typeof each === "string" && /^\/[^\s?#]*$/.test(each)
      ? each
      : invalid(`path must start with "/" and have no query, fragment or space, got ${received(each)}`),
  );
}

export function trustedProxies(trustProxy: unknown = false): TrustedProxies {
  if (typeof trustProxy === "boolean") return trustProxy;
  if (!Array.isArray(trustProxy)) {
    return invalid(
      `trustProxy must be true, false or an array of addresses and networks, got ${received(trustProxy)}`,
    );
  }
  for (const each of trustProxy as unknown[]) {
    if (typeof each !== "string" || !isNetwork(each)) {
      invalid(`trustProxy must contain addresses and networks such as 10.0.0.0/8, got ${quoted(each)}`);
    }
  }
  return networks(trustProxy as string[]);
}

/** The tokens of `{ token }` or `{ tokens }`. */
export function tokenList(authorize: unknown): TokenList {
  const { token, tokens } = (authorize ?? {}) as { token?: unknown; tokens?: unknown };
  if (typeof authorize !== "object" || authorize === null || (token ?? tokens) === undefined) {
    invalid(`authorize must be a function or an object with a token or tokens, got ${received(authorize)}`);
  }
  if (token !== undefined) {
    checkOptions("authorize", authorize, { token: anything });
    return new TokenList([[checkedToken("authorize.token", token), {}]]);
  }
  checkOptions("authorize", authorize, { tokens: anything });
  if (typeof tokens !== "object" || tokens === null || Array.isArray(tokens)) {
    invalid(`authorize.tokens must be an object with tokens by name, got ${received(tokens)}`);
  }
  const entries = Object.entries(tokens);
  if (entries.length === 0) invalid("authorize.tokens must have at least one token, got none");
  return new TokenList(checkedTokens(entries));
}

/** Tokens by name. Each must be of another name and another text. */
function checkedTokens(entries: readonly (readonly [name: string, token: unknown])[]): TokenEntry[] {
  const names = new Map<string, string>();
  for (const [name, value] of entries) {
    if (name === "") invalid("authorize.tokens must have tokens with names, got an empty name");
    const token = checkedToken(`authorize.tokens[${JSON.stringify(name)}]`, value);
    const other = names.get(token);
    if (other !== undefined) {
      invalid(
        `authorize.tokens must differ, got the same for ${JSON.stringify(other)} and ${JSON.stringify(name)}`,
      );
    }
    names.set(token, name);
  }
  return [...names].map(([token, user]) => [token, { user }]);
}

/** Accepts a token that is a valid subprotocol, other than the one that every page offers. */
function checkedToken(option: string, token: unknown): string {
  const expected = `at least ${MIN_TOKEN_LENGTH} letters, digits and -._~+ other than "${GATEWAY_PROTOCOL}"`;
  if (typeof token === "string" && isToken(token)) return token;
  const isShort = typeof token === "string" && /^[\w\-.~+]+$/.test(token) && token.length < MIN_TOKEN_LENGTH;
  // A number would be shown.
  const kind = typeof token === "number" ? "a number" : received(token);
  return invalid(`${option} must be ${expected}, got ${isShort ? `only ${token.length}` : kind}`);
}

export function isToken(text: string): boolean {
  return /^[\w\-.~+]+$/.test(text) && text.length >= MIN_TOKEN_LENGTH && text !== GATEWAY_PROTOCOL;
}

/** A value that is no secret, for an error message. */
function quoted(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : received(value);
}
