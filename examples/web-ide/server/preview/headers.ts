import type { IncomingHttpHeaders } from "node:http";
import { passedCookies, passedSetCookies } from "./cookies.ts";
import type { Preview } from "./preview.ts";

/** What a request is passed on as. Its own `Upgrade` header does not say: Node ignores one without `Connection: Upgrade`. */
export type Kind = "request" | "upgrade";

/** Headers of one connection only, beside those that `Connection` names. */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "upgrade",
];

/** What says where a body ends. Without it, the rest of a body would read as the next message. */
const FRAMING = ["content-length", "transfer-encoding"];

/** Changes the headers of a request from those of a preview to those that a dev server on `localhost` expects. */
export function toDevServer(
  headers: IncomingHttpHeaders,
  { origin, port }: Preview,
  withheldCookies: readonly string[],
  kind: Kind,
): void {
  const local = `http://localhost:${port}`;
  replaceHopByHop(headers, kind);
  // Node has answered it.
  delete headers.expect;
  headers.host = `localhost:${port}`;
  if (headers.origin !== undefined) headers.origin = local;
  replace(headers, "cookie", passedCookies(headers.cookie, withheldCookies));
  const { referer } = headers;
  replace(
    headers,
    "referer",
    referer?.startsWith(`${origin}/`) ? local + referer.slice(origin.length) : undefined,
  );
}

/** Changes the headers of a dev server's response to those of the preview. */
export function toBrowser(
  headers: IncomingHttpHeaders,
  { origin, port }: Preview,
  embedder: string,
  kind: Kind,
): void {
  replaceHopByHop(headers, kind);
  // It would lead the browser to another host or port.
  delete headers["alt-svc"];
  const setCookies = passedSetCookies(headers["set-cookie"] ?? []);
  replace(headers, "set-cookie", setCookies.length === 0 ? undefined : setCookies);
  replace(headers, "location", headers.location && redirected(headers.location, origin, port));
  delete headers["x-frame-options"];
  headers["content-security-policy"] = framePolicy(headers["content-security-policy"]?.toString(), embedder);
}

/** A policy that lets a page be framed by itself and by one other origin, and is otherwise that of the dev server. */
export function framePolicy(policies: string | undefined, embedder: string): string {
  // Several headers arrive joined by commas, which no directive contains.
  const others = (policies ?? "").split(",").map((policy) =>
    policy
      .split(";")
      .filter((directive) => !/^\s*frame-ancestors(?:\s|$)/i.test(directive))
      .join(";")
      .trim(),
  );
  return [...others, `frame-ancestors 'self' ${embedder}`].filter((policy) => policy !== "").join(", ");
}

/** An address of the dev server as one of the preview; any other as it is. */
function redirected(location: string, origin: string, port: number): string {
  if (!URL.canParse(location)) return location;
  const url = new URL(location);
  const isLocal = url.protocol === "http:" && ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  if (!isLocal || Number(url.port || 80) !== port) return location;
  return origin + url.pathname + url.search + url.hash;
}

function replaceHopByHop(headers: IncomingHttpHeaders, kind: Kind): void {
  const named = (headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  for (const name of [...HOP_BY_HOP, ...named]) if (!FRAMING.includes(name)) delete headers[name];
  if (kind === "upgrade") Object.assign(headers, { connection: "Upgrade", upgrade: "websocket" });
}

function replace<Name extends "cookie" | "referer" | "set-cookie" | "location">(
  headers: IncomingHttpHeaders,
  name: Name,
  value: IncomingHttpHeaders[Name],
): void {
  if (value === undefined) delete headers[name];
  else headers[name] = value;
}
