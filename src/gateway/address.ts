import type { IncomingMessage } from "node:http";
import { BlockList, isIP, type Server, type Socket } from "node:net";

/** How a peer on a Unix socket is named. */
const UNIX = "unix";
/** How a peer is named that has reset its connection before its request was read. */
const UNKNOWN = "unknown";

/** Whose `X-Forwarded-For` is believed. */
export type TrustedProxies = boolean | BlockList;

/** An IP address, or a network such as `10.0.0.0/8`. */
export function isNetwork(text: string): boolean {
  const [address = "", bits, ...rest] = text.split("/");
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

export function networks(list: readonly string[]): BlockList {
  const all = new BlockList();
  for (const text of list) {
    const [address = "", bits] = text.split("/");
    if (bits === undefined) all.addAddress(address, family(address));
    else all.addSubnet(address, Number(bits), family(address));
  }
  return all;
}

/** The address of the peer itself: of the browser, or of the last proxy in front. */
export function peerAddress({ socket }: IncomingMessage): string {
  return unmapped(socket.remoteAddress ?? (isOnUnixSocket(socket) ? UNIX : UNKNOWN));
}

/** By the server's address: a TCP peer that has reset its connection has none either, and must not be trusted. */
function isOnUnixSocket({ server }: Socket & { readonly server?: Server }): boolean {
  const address = server?.address();
  // Node does not know the path of a listening socket that the process has inherited.
  return typeof address === "string" || (address === null && server?.listening === true);
}

/**
 * The address of the browser. Proxies append to `X-Forwarded-For`, so it is read from the right: past trusted proxies, up
 * to the first address that none of them vouches for further. Whatever stands left of it can be forged.
 */
export function clientAddress(request: IncomingMessage, trusted: TrustedProxies): string {
  const peer = peerAddress(request);
  if (!isTrusted(peer, trusted)) return peer;
  let address = peer;
  for (const hop of forwardedFor(request).reverse()) {
    const reported = addressIn(hop);
    if (reported === undefined) return address;
    address = reported;
    if (trusted === true || !isTrusted(address, trusted)) return address;
  }
  return address;
}

export function isTrusted(address: string, trusted: TrustedProxies): boolean {
  if (typeof trusted === "boolean") return trusted;
  // Only processes of this machine reach a Unix socket, and its permissions say which.
  return address === UNIX || (isIP(address) !== 0 && trusted.check(address, family(address)));
}

/** Repeated headers stand for one list. Node joins them in order. */
function forwardedFor({ headers }: IncomingMessage): string[] {
  const value = headers["x-forwarded-for"];
  return value === undefined ? [] : String(value).split(",");
}

/** The address in an entry, which may have a port: `192.0.2.1:80`, `[2001:db8::1]:80`. */
function addressIn(hop: string): string | undefined {
  const text = hop.trim();
  const bare = /^\[([^\]]+)\](:\d+)?$/.exec(text)?.[1] ?? text.replace(/^([\d.]+):\d+$/, "$1");
  return isIP(bare) === 0 ? undefined : unmapped(bare);
}

/** An IPv4 address on an IPv6 socket is written in another way. */
function unmapped(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}

function family(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}
