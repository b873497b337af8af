import { createHash, timingSafeEqual } from "node:crypto";

/**
 * The cookie that admits a browser to a preview. `__Host-` binds it to one host: no other host can set or receive it.
 * `Partitioned` lets it through where the preview is a frame of another site, which it always is.
 */
const NAME = "__Host-preview";
const ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=None; Partitioned";

export function admittingCookie(secret: string): string {
  return `${NAME}=${secret}; ${ATTRIBUTES}`;
}

/** Whether a Cookie header has the secret. A digest is compared, so that the time says nothing. */
export function hasAdmittingCookie(header: string | undefined, secret: string): boolean {
  return pairsOf(header).some(([name, value]) => name === NAME && isSame(value, secret));
}

/** A Cookie header for the dev server: without the preview's own cookie and the withheld ones. Undefined if none is left. */
export function passedCookies(header: string | undefined, withheld: readonly string[]): string | undefined {
  const passed = pairsOf(header).filter(([name]) => name !== NAME && !withheld.includes(name));
  return passed.length === 0 ? undefined : passed.map((pair) => pair.join("=")).join("; ");
}

/**
 * The Set-Cookie headers of the dev server that reach the browser. One with a Domain would be for other hosts as well, and
 * one without a name could read as any cookie.
 */
export function passedSetCookies(headers: readonly string[]): string[] {
  return headers.filter((header) => {
    const [pair = "", ...attributes] = header.split(";");
    const hasDomain = attributes.some((attribute) => /^\s*domain\s*(?:=|$)/i.test(attribute));
    const name = pair.includes("=") ? pair.slice(0, pair.indexOf("=")).trim() : "";
    return !hasDomain && name !== "" && name.toLowerCase() !== NAME.toLowerCase();
  });
}

function pairsOf(header = ""): [name: string, value: string][] {
  return header.split(";").flatMap((part): [string, string][] => {
    const text = part.trim();
    const at = text.indexOf("=");
    if (text === "") return [];
    return [at < 0 ? ["", text] : [text.slice(0, at).trim(), text.slice(at + 1).trim()]];
  });
}

function isSame(value: string, secret: string): boolean {
  const [a, b] = [value, secret].map((text) => createHash("sha256").update(text).digest());
  return timingSafeEqual(a as Buffer, b as Buffer);
}
