import { GATEWAY_PROTOCOL } from "../../src/gateway.ts";
import { ORIGIN, PROTOCOLS, TOKEN } from "../support/gateway.ts";
import type { UpgradeRequest } from "../support/upgrade-request.ts";

const origin = (value: string | readonly string[] | undefined): UpgradeRequest => ({
  headers: { Origin: value },
});
const host = (value: string | readonly string[] | undefined): UpgradeRequest => ({
  headers: { Host: value },
});
const offer = (...protocols: string[]): UpgradeRequest => ({
  headers: { "Sec-WebSocket-Protocol": protocols.length > 0 ? protocols.join(", ") : undefined },
});

/** Node drops headers above its limit, and with them the second origin. */
function manyHeaders(): UpgradeRequest {
  return { headers: { Origin: ORIGIN, a: Array<string>(2_000).fill(""), origin: "https://evil.example" } };
}

type RefusedRequest = readonly [name: string, status: number, request: UpgradeRequest];

/** Upgrade requests that must be refused, with the HTTP status of the response or the close code after it. The gateway listens on 127.0.0.1. */
export const REFUSED_REQUESTS: readonly RefusedRequest[] = [
  ["no origin", 403, origin(undefined)],
  ["an empty origin", 403, origin("")],
  ["a foreign origin", 403, origin("https://evil.example")],
  ["an origin that begins like the right one", 403, origin(`${ORIGIN}.evil.example`)],
  ["an origin that ends like the right one", 403, origin("https://evil-ide.example")],
  ["a subdomain of the right origin", 403, origin("https://www.ide.example")],
  ["a prefix of the right origin", 403, origin("https://ide")],
  ["the right origin as the user name of another", 403, origin(`${ORIGIN}@evil.example`)],
  ["another scheme", 403, origin("http://ide.example")],
  ["another port", 403, origin(`${ORIGIN}:8443`)],
  ["an explicit default port", 403, origin(`${ORIGIN}:443`)],
  ["an origin with a slash at the end", 403, origin(`${ORIGIN}/`)],
  ["the origin null", 403, origin("null")],
  ["the origin *", 403, origin("*")],
  ["an origin in upper case", 403, origin(ORIGIN.toUpperCase())],
  ["two origins, the right one first", 403, origin([ORIGIN, "https://evil.example"])],
  ["two origins, the right one last", 403, origin(["https://evil.example", ORIGIN])],
  ["the right origin twice", 403, origin([ORIGIN, ORIGIN])],
  ["two origins in one header", 403, origin(`${ORIGIN}, https://evil.example`)],
  [
    "the origin in the header of an older draft",
    403,
    { headers: { Origin: undefined, "Sec-WebSocket-Origin": ORIGIN } },
  ],
  ["no host", 403, host(undefined)],
  ["an empty host", 403, host("")],
  ["a foreign host", 403, host("ide.example")],
  ["a host name rebound to this address", 403, host("evil.example:8787")],
  ["a foreign host with the port of a known one", 403, host("evil.example")],
  ["a host that begins like a known one", 403, host("127.0.0.1.evil.example")],
  ["a host that ends like a known one", 403, host("evil.localhost")],
  ["a known host with a user name", 403, host("evil.example@localhost")],
  ["a known host with a dot at the end", 403, host("localhost.")],
  ["a known host with two ports", 403, host("localhost:1:2")],
  ["a known host with a port that is not a number", 403, host("localhost:http")],
  ["another loopback address", 403, host("127.0.0.2")],
  ["a foreign IPv6 address", 403, host("[2001:db8::1]:8787")],
  ["an IPv6 loopback address without brackets", 403, host("::1")],
  ["two hosts", 403, host(["127.0.0.1", "evil.example"])],
  ["no subprotocol and no token", 4401, offer()],
  ["no token", 4401, offer(GATEWAY_PROTOCOL)],
  ["a wrong token", 4401, offer(GATEWAY_PROTOCOL, "wrong")],
  ["an empty token", 400, { headers: { "Sec-WebSocket-Protocol": `${GATEWAY_PROTOCOL}, ` } }],
  ["the beginning of the token", 4401, offer(GATEWAY_PROTOCOL, TOKEN.slice(0, -1))],
  ["the end of the token", 4401, offer(GATEWAY_PROTOCOL, TOKEN.slice(1))],
  ["more than the token", 4401, offer(GATEWAY_PROTOCOL, `${TOKEN}x`)],
  ["the token in upper case", 4401, offer(GATEWAY_PROTOCOL, TOKEN.toUpperCase())],
  [
    "the token in the query",
    4401,
    { path: `/?token=${encodeURIComponent(TOKEN)}`, ...offer(GATEWAY_PROTOCOL) },
  ],
  [
    "the token as a bearer token",
    4401,
    { headers: { Authorization: `Bearer ${TOKEN}`, "Sec-WebSocket-Protocol": GATEWAY_PROTOCOL } },
  ],
  [
    "the token in a cookie",
    4401,
    { headers: { Cookie: `token=${TOKEN}`, "Sec-WebSocket-Protocol": undefined } },
  ],
  ["the token without the gateway's subprotocol", 400, offer(TOKEN)],
  ["the token twice", 400, offer(...PROTOCOLS, TOKEN)],
  ["a wrong token without the gateway's subprotocol", 400, offer("wrong-token-of-16-characters")],
  [
    "a subprotocol that no page can offer beside a wrong token",
    400,
    offer("exec-server-gateway", "two words"),
  ],
  ["a subprotocol that no page can offer beside the token", 400, offer(...PROTOCOLS, "two words")],
  ["nine subprotocols, the token among them", 400, offer(...PROTOCOLS, ..."abcdefg")],
  ["a body", 400, { headers: { "Content-Length": "0" } }],
  ["a chunked body", 400, { headers: { "Transfer-Encoding": "chunked" } }],
  ["two origins around 2,000 empty headers", 400, manyHeaders()],
  ["another path", 404, { path: "/other" }],
  ["a path that begins like the right one", 404, { path: "//" }],
  ["a URL instead of a path", 404, { path: "http://127.0.0.1/" }],
  ["the method POST", 405, { method: "POST" }],
  ["the method OPTIONS", 405, { method: "OPTIONS" }],
  ["no version", 426, { headers: { "Sec-WebSocket-Version": undefined } }],
  ["an older version", 426, { headers: { "Sec-WebSocket-Version": "8" } }],
  ["a newer version", 426, { headers: { "Sec-WebSocket-Version": "14" } }],
  ["no key", 400, { headers: { "Sec-WebSocket-Key": undefined } }],
  ["an invalid key", 400, { headers: { "Sec-WebSocket-Key": "short" } }],
  ["an upgrade to another protocol", 400, { headers: { Upgrade: "h2c" } }],
  ["no upgrade", 404, { headers: { Upgrade: undefined, Connection: "close" } }],
];
