import { createHash, timingSafeEqual } from "node:crypto";

/** One Origin, compared whole: no page can forge it, and no other program should pretend to be one. */
export function isAllowedOrigin(origins: readonly string[], allowed: readonly string[]): boolean {
  return origins.length === 1 && allowed.includes(origins[0] as string);
}

/** A page that had its own name point here after it was loaded (DNS rebinding) gives itself away by that name. */
export function isAllowedHost(hosts: readonly string[], allowed: readonly string[]): boolean {
  const host = hosts[0]?.toLowerCase();
  if (host === undefined || hosts.length > 1) return false;
  return allowed.includes(host) || allowed.includes(host.replace(/:\d+$/, ""));
}

/** Takes the same time wherever the two differ, and whatever their lengths. */
export function isSameToken(offered: string, token: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(offered), digest(token));
}
