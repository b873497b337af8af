import { UsageError } from "../errors.ts";
import { decodeBase64, encodeBase64 } from "../internal/base64.ts";

/**
 * Paths of the server's machine. The wire has `file:` URIs (`file:///tmp/a%20b`, `file:///C:/x`, `file://host/share`);
 * people have native strings. Nothing here depends on the machine this code runs on.
 *
 * A path that a URI can't name, such as the Windows device `\\.\COM1`, travels as `file:///%00/bad/path/…` with the
 * native path in base64url: opaque, good for nothing but being passed on.
 */
export type PathUri =
  | {
      readonly opaque: false;
      /** A drive or a host means Windows, neither means POSIX. */
      readonly windows: boolean;
      /** What stands before the first segment: `file://`, `file:///C:` or `file://host/share`. */
      readonly root: string;
      /** Percent-encoded, as they were written. */
      readonly segments: readonly string[];
      readonly trailingSlash: boolean;
    }
  | { readonly opaque: true; readonly uri: string };

const POSIX_ROOT = "file://";
const OPAQUE_PREFIX = "file:///%00/bad/path/";

/** Takes an absolute native path (`/tmp/a b`, `C:\x`, `\\host\share`) or a `file:` URL; `what` names it in errors. */
export function toPathUri(path: string | URL, what: string): string {
  return formatPathUri(parsePath(path, what));
}

/** Reads a native path or a `file:` URL; throws a UsageError for what is neither, or relative. */
export function parsePath(path: string | URL, what: string): PathUri {
  if (isUrl(path)) return parseUri(String(path)) ?? invalid(what, "is not a valid file: URL");
  if (typeof path !== "string") return invalid(what, "must be a string or a URL");
  if (path.includes("\0")) return invalid(what, "must not contain a NUL character");
  if (!isWellFormed(path)) return invalid(what, "is not well-formed Unicode");
  if (path.startsWith("/")) return resolved(POSIX_ROOT, path);
  return parseWindows(path) ?? invalid(what, "must be an absolute path or a file: URL");
}

/** Whether something is given as a URL rather than natively; what has another scheme is refused later. */
export function isUrl(path: string | URL): boolean {
  return typeof path !== "string" ? path instanceof URL : /^[a-z][a-z0-9+.-]+:/i.test(path);
}

export function formatPathUri(path: PathUri): string {
  if (path.opaque) return path.uri;
  const { root, segments, trailingSlash } = path;
  if (segments.length === 0) return root === POSIX_ROOT ? `${root}/` : root;
  return `${root}/${segments.join("/")}${trailingSlash ? "/" : ""}`;
}

/** The native form. A URI without one, such as a name that is not UTF-8, is returned as it is: it still names the file. */
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

/** Reads a URI that is a path; undefined for anything else. */
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
    // `//./` is no host but the namespace of devices.
    if (share === undefined || url.host === ".") return undefined;
    root = `file://${url.host}/${share}`;
  } else if (/^[a-z]:$/i.test(names[0] ?? "")) {
    root = `file:///${names.shift()?.toUpperCase()}`;
  }
  return rooted(root, names, url.pathname.endsWith("/"));
}

/** An absolute Windows path in any of its spellings; undefined for a relative one. */
export function parseWindows(path: string): PathUri | undefined {
  const slashed = path.replaceAll("\\", "/");
  // `\\?\` and `\\.\` switch the interpretation of a path off; only what has an ordinary spelling too gets a URI.
  const namespaced = /^\/\/[?.]\/(.*)$/s.exec(slashed)?.[1];
  if (namespaced !== undefined) {
    const share = /^UNC\/([^/]+\/[^/]+.*)$/is.exec(namespaced)?.[1];
    if (share !== undefined) return unc(share, path);
    return /^[a-z]:\//i.test(namespaced) ? drive(namespaced) : opaqueWindows(path);
  }
  if (/^[a-z]:\//i.test(slashed)) return drive(slashed);
  return /^\/\/[^/]+\/[^/]/.test(slashed) ? unc(slashed.slice(2), path) : undefined;
}

/** Resolves `.` and `..`, which never lead above the root, and drops empty names. */
export function resolveNames(base: readonly string[], names: readonly string[]): string[] {
  const resolved = [...base];
  for (const name of names) {
    if (name === "..") resolved.pop();
    else if (name !== "" && name !== ".") resolved.push(encodeSegment(name));
  }
  return resolved;
}

/** A segment as people write it; undefined if it has no such form: it is not UTF-8, or hides a separator. */
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

export function invalid(what: string, problem: string): never {
  throw new UsageError("ERR_INVALID_ARGUMENT", `${what} ${problem}`);
}

function drive(slashed: string): PathUri {
  return resolved(`file:///${slashed.slice(0, 2).toUpperCase()}`, slashed.slice(2));
}

function unc(hostAndShare: string, path: string): PathUri | undefined {
  const [host = "", share = "", ...rest] = hostAndShare.split("/");
  if (/[?#@:%\s]/.test(host) || /^\.\.?$/.test(share) || !URL.canParse(`file://${host}/`)) return undefined;
  // A host that URLs rewrite (`localhost`, `1`, `é`) would come out as another machine, or none.
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

/** The native path inside an opaque URI; undefined for one that no text can hold. */
function decodeOpaque(uri: string): string | undefined {
  const bytes = opaquePayload(uri);
  try {
    return new TextDecoder(isPosixPayload(bytes) ? "utf-8" : "utf-16le", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Windows paths are UTF-16, POSIX ones bytes that start with a slash. */
function isPosixPayload(bytes: Uint8Array | undefined): boolean {
  return bytes?.[0] === 0x2f && bytes[1] !== 0;
}

/** The bytes inside an opaque URI; undefined unless it is canonical. */
function opaquePayload(uri: string): Uint8Array | undefined {
  const payload = uri.startsWith(OPAQUE_PREFIX) ? uri.slice(OPAQUE_PREFIX.length) : "";
  if (!/^[\w-]+$/.test(payload)) return undefined;
  const base64 = payload.replaceAll("-", "+").replaceAll("_", "/");
  const bytes = decodeBase64(base64.padEnd(Math.ceil(base64.length / 4) * 4, "="));
  return bytes && (isPosixPayload(bytes) || bytes.length % 2 === 0) ? bytes : undefined;
}

/** Encodes everything that RFC 3986 does not allow in a path segment. */
function encodeSegment(name: string): string {
  return name.replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:@]+/g, encodeURIComponent);
}

export function isWellFormed(text: string): boolean {
  try {
    encodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
