import { invalid, received } from "../internal/arguments.ts";
import { decodeBase64, encodeBase64 } from "../internal/base64.ts";
import { platformClass } from "../internal/platform.ts";
import { isUrl as isUrlObject } from "../internal/realms.ts";

/**
 * Paths of the server's machine. The wire uses `file:` URIs (`file:///tmp/a%20b`, `file:///C:/x`, `file://host/share`),
 * callers also use native strings. Nothing here depends on the local machine.
 *
 * A path that no URI can name, such as the Windows device `\\.\COM1`, is sent as `file:///%00/bad/path/…` with the native
 * path in base64url. Such a path is opaque: it can be passed on, but not split or joined.
 */
export type PathUri =
  | {
      readonly opaque: false;
      /** A path with a drive or a host is a Windows path, any other one is POSIX. */
      readonly windows: boolean;
      /** The part before the first segment: `file://`, `file:///C:` or `file://host/share`. */
      readonly root: string;
      /** Percent-encoded, as in the original. */
      readonly segments: readonly string[];
      readonly trailingSlash: boolean;
    }
  | { readonly opaque: true; readonly uri: string };

const POSIX_ROOT = "file://";
const OPAQUE_PREFIX = "file:///%00/bad/path/";

/**
 * Converts an absolute native path (`/tmp/a b`, `C:\x`, `\\host\share`) or a `file:` URL for a request. Refuses an encoded
 * separator, as Node does: the server would take `a%2F..%2Fb` for three names. Errors name the `option`.
 */
export function toPathUri(path: string | URL, option: string): string {
  const parsed = parsePath(path, option);
  if (hasEncodedSeparator(parsed))
    return invalid(`${option} must be a file: URL without encoded separators, got one with %2F or %5C`);
  return formatPathUri(parsed);
}

/** Refuses a path that can only be that of a directory: the server ignores the slash, and would make a file without it. */
export function checkFileUri(uri: string, option: string): void {
  if (uri.endsWith("/")) invalid(`${option} must be that of a file, got one that ends with a slash`);
}

/** A path as errors show it: native. Undefined for a URL that names no path, because it can contain credentials. */
export function shownPath(path: unknown): string | undefined {
  if (!isUrl(path as string | URL)) return typeof path === "string" ? path : undefined;
  const parsed = parseUri(String(path));
  return parsed && toNativePath(formatPathUri(parsed));
}

/** Whether a name of the path contains a separator, encoded. Searched in the encoded text: a name need not be UTF-8. */
export function hasEncodedSeparator(path: PathUri): boolean {
  if (path.opaque) return false;
  const separator = path.windows ? /%2f|%5c/i : /%2f/i;
  return separator.test(path.root) || path.segments.some((name) => separator.test(name));
}

/** Parses an absolute native path or a `file:` URL. Throws a UsageError for any other value. */
export function parsePath(path: string | URL, option: string): PathUri {
  if (isUrl(path))
    return parseUri(String(path)) ?? invalid(`${option} must be a valid file: URL, got another URL`);
  if (typeof path !== "string") return invalid(`${option} must be a string or a URL, got ${received(path)}`);
  checkText(path, option);
  if (path.startsWith("/")) return resolved(POSIX_ROOT, path);
  return (
    parseWindows(path) ?? invalid(`${option} must be an absolute path or a file: URL, got a relative path`)
  );
}

/** Throws a UsageError for a text that no path, argument or variable can contain. */
export function checkText(text: string, option: string): void {
  if (text.includes("\0")) invalid(`${option} must be a string without NUL, got one with NUL`);
  if (!isWellFormed(text)) invalid(`${option} must be well-formed Unicode, got a lone surrogate`);
}

/** Whether a path is given as a URL of any scheme instead of a native path. */
export function isUrl(path: string | URL): boolean {
  return typeof path !== "string" ? isUrlObject(path) : /^[a-z][a-z0-9+.-]+:/i.test(path);
}

export function formatPathUri(path: PathUri): string {
  if (path.opaque) return path.uri;
  const { root, segments, trailingSlash } = path;
  if (segments.length === 0) return root === POSIX_ROOT ? `${root}/` : root;
  return `${root}/${segments.join("/")}${trailingSlash ? "/" : ""}`;
}

/** The native form of a URI. A URI without a native form, such as a name that is not UTF-8, is returned unchanged. */
export function toNativePath(uri: string): string {
  const path = parseUri(uri);
  if (!path) return uri;
  if (path.opaque) return decodeOpaque(path.uri) ?? uri;
  const names = path.segments.map((segment) => nameOf(segment, path.windows));
  if (names.includes(undefined)) return uri;
  if (!path.windows) return `/${names.join("/")}${path.trailingSlash && names.length > 0 ? "/" : ""}`;
  const [host = "", driveOrShare = ""] = path.root.slice(POSIX_ROOT.length).split("/");
  const start = nameOf(driveOrShare, true);
  if (start === undefined) return uri;
  const root = host === "" ? start : `\\\\${host}\\${start}`;
  if (names.length === 0) return host === "" ? `${root}\\` : root;
  return `${root}\\${names.join("\\")}${path.trailingSlash ? "\\" : ""}`;
}

/** Parses a URI that names a path; undefined for any other URI. */
function parseUri(uri: string): PathUri | undefined {
  if (!/^file:\//i.test(uri) || !URL.canParse(uri)) return undefined;
  const url = new URL(uri);
  if (url.search !== "" || url.hash !== "" || /[?#]/.test(uri)) return undefined;
  if (/%00/.test(url.pathname)) {
    const isCanonical = url.host === "" && opaquePayload(url.href) !== undefined;
    return isCanonical ? { opaque: true, uri: url.href } : undefined;
  }
  const names = url.pathname.split("/").filter((name) => name !== "");
  let root = POSIX_ROOT;
  if (url.host !== "" && url.host.toLowerCase() !== "localhost") {
    const share = names.shift();
    // `//./` is not a host but the namespace of devices.
    if (share === undefined || url.host === ".") return undefined;
    root = `file://${url.host}/${share}`;
  } else if (/^[a-z]:$/i.test(names[0] ?? "")) {
    root = `file:///${names.shift()?.toUpperCase()}`;
  }
  return rooted(root, names, url.pathname.endsWith("/"));
}

/** Parses an absolute Windows path in any spelling; undefined for a relative path. */
export function parseWindows(path: string): PathUri | undefined {
  const slashed = path.replaceAll("\\", "/");
  // `\\?\` and `\\.\` turn off the interpretation of a path. Only a path that also has an ordinary spelling gets a URI.
  const namespaced = /^\/\/[?.]\/(.*)$/s.exec(slashed)?.[1];
  if (namespaced !== undefined) {
    const share = /^UNC\/([^/]+\/[^/]+.*)$/is.exec(namespaced)?.[1];
    if (share !== undefined) return unc(share, path);
    return /^[a-z]:\//i.test(namespaced) ? drive(namespaced) : opaqueWindows(path);
  }
  if (/^[a-z]:\//i.test(slashed)) return drive(slashed);
  return /^\/\/[^/]+\/[^/]/.test(slashed) ? unc(slashed.slice(2), path) : undefined;
}

/** Resolves `.` and `..`, never above the root, and removes empty names. */
export function resolveNames(base: readonly string[], names: readonly string[]): string[] {
  const resolved = [...base];
  for (const name of names) {
    if (name === "..") resolved.pop();
    else if (name !== "" && name !== ".") resolved.push(encodeSegment(name));
  }
  return resolved;
}

/** The native form of a segment; undefined if the segment is not UTF-8 or contains an encoded separator. */
export function nameOf(segment: string, windows: boolean): string | undefined {
  const name = decodeSegment(segment);
  return name === undefined || (windows ? /[/\\]/ : /\//).test(name) ? undefined : name;
}

function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function drive(slashed: string): PathUri {
  return resolved(`file:///${slashed.slice(0, 2).toUpperCase()}`, slashed.slice(2));
}

function unc(hostAndShare: string, path: string): PathUri | undefined {
  const [host = "", share = "", ...rest] = hostAndShare.split("/");
  if (/[?#@:%\s]/.test(host) || /^\.\.?$/.test(share) || !URL.canParse(`file://${host}/`)) return undefined;
  // URLs rewrite some hosts (`localhost`, `1`, `é`), so such a host would name another machine or none.
  if (new URL(`file://${host}/`).host !== host.toLowerCase()) return opaqueWindows(path);
  return resolved(`file://${host.toLowerCase()}/${encodeSegment(share)}`, `/${rest.join("/")}`);
}

function resolved(root: string, path: string): PathUri {
  return rooted(root, resolveNames([], path.split("/")), path.endsWith("/"));
}

export function rooted(root: string, segments: readonly string[], endsWithSlash: boolean): PathUri {
  const trailingSlash = endsWithSlash && segments.length > 0;
  return { opaque: false, windows: root !== POSIX_ROOT, root, segments, trailingSlash };
}

function opaqueWindows(path: string): PathUri {
  const bytes = new Uint8Array(path.length * 2);
  for (let i = 0; i < path.length; i++) {
    const unit = path.charCodeAt(i);
    bytes[i * 2] = unit & 0xff;
    bytes[i * 2 + 1] = unit >> 8;
  }
  const payload = encodeBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return { opaque: true, uri: OPAQUE_PREFIX + payload };
}

/** The native path inside an opaque URI; undefined if it is not valid Unicode. */
function decodeOpaque(uri: string): string | undefined {
  const bytes = opaquePayload(uri);
  try {
    const encoding = isPosixPayload(bytes) ? "utf-8" : "utf-16le";
    return new (platformClass("TextDecoder"))(encoding, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Windows paths are UTF-16, POSIX paths are bytes that start with a slash. */
function isPosixPayload(bytes: Uint8Array | undefined): boolean {
  return bytes?.[0] === 0x2f && bytes[1] !== 0;
}

/** The bytes inside an opaque URI; undefined if the URI is not canonical. */
function opaquePayload(uri: string): Uint8Array | undefined {
  const payload = uri.startsWith(OPAQUE_PREFIX) ? uri.slice(OPAQUE_PREFIX.length) : "";
  if (!/^[\w-]+$/.test(payload)) return undefined;
  const base64 = payload.replaceAll("-", "+").replaceAll("_", "/");
  const bytes = decodeBase64(base64.padEnd(Math.ceil(base64.length / 4) * 4, "="));
  return bytes && (isPosixPayload(bytes) || bytes.length % 2 === 0) ? bytes : undefined;
}

/** Encodes the characters that RFC 3986 does not allow in a path segment. */
function encodeSegment(name: string): string {
  return name.replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:@]+/g, encodeURIComponent);
}

function isWellFormed(text: string): boolean {
  try {
    encodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
