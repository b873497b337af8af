import type { IncomingMessage } from "node:http";
import { hasAdmittingCookie } from "./cookies.ts";
import { type Preview, TICKET_PATH } from "./preview.ts";

/** A refusal: its HTTP status, and what the page about it says. */
export interface Refusal {
  readonly status: 400 | 403 | 411;
  readonly reason: "request" | "origin" | "cookie";
}

const BAD_REQUEST: Refusal = { status: 400, reason: "request" };
const SERVICE_WORKER: Refusal = { status: 403, reason: "request" };
const FOREIGN: Refusal = { status: 403, reason: "origin" };

/** Everything that is checked of a request but its cookie. Returns undefined for a request that may go on. */
export function refusalOf(request: IncomingMessage, { origin }: Preview): Refusal | undefined {
  const { method = "", headers, headersDistinct, url = "" } = request;
  // The form of a proxy request names a host of its own, and a backslash reads as a slash to URL parsers.
  if (!url.startsWith("/") || url.includes("\\")) return BAD_REQUEST;
  // The proxy library would announce such a body as empty, and the dev server take it for the next request.
  if (["DELETE", "OPTIONS"].includes(method) && "transfer-encoding" in headers) {
    return { status: 411, reason: "request" };
  }
  // A worker of the preview's host would see every later request of it, those with tickets too.
  if ("service-worker" in headers || headers["sec-fetch-dest"] === "serviceworker") return SERVICE_WORKER;
  const origins = headersDistinct["origin"] ?? [];
  if (origins.length > 1 || (origins.length === 1 && origins[0] !== origin)) return FOREIGN;
  return isOfThePreview(request) || isNavigation(request) ? undefined : FOREIGN;
}

/** The same for a WebSocket handshake, which always has an Origin. */
export function upgradeRefusalOf(request: IncomingMessage, preview: Preview): Refusal | undefined {
  const { headers, httpVersion, method, url = "" } = request;
  const hasBody = "content-length" in headers || "transfer-encoding" in headers;
  const isWebSocket = headers.upgrade?.toLowerCase() === "websocket";
  if (method !== "GET" || hasBody || !isWebSocket || httpVersion !== "1.1") return BAD_REQUEST;
  // The dev server never gets a ticket.
  if (pathOf(url) === TICKET_PATH) return BAD_REQUEST;
  if (headers.origin === undefined) return FOREIGN;
  return refusalOf(request, preview) ?? cookieRefusalOf(request, preview);
}

export function cookieRefusalOf({ headers }: IncomingMessage, { secret }: Preview): Refusal | undefined {
  return hasAdmittingCookie(headers.cookie, secret) ? undefined : { status: 403, reason: "cookie" };
}

/** Whether a page of the preview itself, or the user, has caused the request. Pages can't change this header. */
function isOfThePreview({ headers }: IncomingMessage): boolean {
  return ["same-origin", "none", undefined].includes(headers["sec-fetch-site"] as string | undefined);
}

/** A page of another site may only lead to a preview or show it in a frame, and `frame-ancestors` limits the latter. */
function isNavigation({ headers, method }: IncomingMessage): boolean {
  const isRead = method === "GET" || method === "HEAD";
  const isPage = ["document", "iframe"].includes(headers["sec-fetch-dest"] as string);
  return isRead && isPage && headers["sec-fetch-mode"] === "navigate";
}

/** The path of a request, without its query. */
export function pathOf(url: string): string {
  return url.split("?", 1)[0] ?? "";
}
