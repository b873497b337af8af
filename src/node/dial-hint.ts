import type { DialHint } from "../transport/websocket/dial.ts";

/** What a failed dial can mean, by HTTP status or system code. The first match counts. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/ 401$/, "is the token right?"],
  [/ 403$/, "is the origin allowed there? An exec-server allows none: pages need a gateway"],
  [/ 503$/, "is the gateway full, or closing?"],
  [/ [1-4]\d\d$/, "is this the port and path of an exec-server or a gateway?"],
  [/ 5\d\d$/, "does the proxy in front reach its server?"],
  [/^ECONNREFUSED$/, "no server listens there: is it started, and is the port right?"],
  [/^(ENOTFOUND|EAI_AGAIN)$/, "is the host name right?"],
  [/^EPROTO$|^ERR_SSL_/, "the server there speaks no TLS: use ws: instead of wss:"],
  [/^HPE_|^ECONNRESET$/, "the server there speaks no HTTP: use wss: instead of ws: if it speaks TLS"],
  [/CERT|ISSUER|LEAF_SIGNATURE/, "the certificate is not trusted: give its authority as the option ca"],
];

export const dialHint: DialHint = (fact = "") => HINTS.find(([pattern]) => pattern.test(fact))?.[1];
