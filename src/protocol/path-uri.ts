import { UsageError } from "../errors.ts";

/**
 * Paths of the server's machine. The wire has `file:` URIs (`file:///tmp/a%20b`, `file:///C:/x`, `file://host/share`);
 * people have native strings. Neither depends on the machine this code runs on.
 */

/** Takes an absolute native path (`/tmp/a b`, `C:\x`, `\\host\share`) or a `file:` URL. */
export function toPathUri(path: string | URL, what: string): string {
  if (typeof path !== "string") return fileUrl(path, what);
  if (/^file:/i.test(path)) {
    const url = URL.canParse(path) ? new URL(path) : invalid(what, "is not a valid file: URL");
    return fileUrl(url, what);
  }
  if (path.startsWith("/")) return `file://${encodeSegments(path, what)}`;
  const windows = path.replaceAll("\\", "/");
  const drive = /^[a-z]:\//i.test(windows);
  if (drive) return `file:///${windows.slice(0, 2).toUpperCase()}${encodeSegments(windows.slice(2), what)}`;
  const share = /^\/\/([^/]+)(\/[^/].*)$/.exec(windows);
  if (share) return `file://${share[1]}${encodeSegments(share[2] ?? "", what)}`;
  return invalid(what, "must be an absolute path or a file: URL");
}

/** The native form; a URI that is none, or one of another kind, is returned as it is. */
export function toNativePath(uri: string): string {
  const match = /^file:\/\/([^/?#]*)(\/[^?#]*)$/i.exec(uri);
  if (!match) return uri;
  const [, host = "", encoded = ""] = match;
  let path: string;
  try {
    path = decodeURIComponent(encoded);
  } catch {
    return uri;
  }
  if (path.includes("\0")) return uri;
  if (host !== "" && host.toLowerCase() !== "localhost") return `\\\\${host}${path.replaceAll("/", "\\")}`;
  if (!/^\/[a-z]:(\/|$)/i.test(path)) return path;
  const drivePath = path.slice(1).replaceAll("/", "\\");
  return drivePath.length === 2 ? `${drivePath}\\` : drivePath;
}

function fileUrl(url: URL, what: string): string {
  if (url.protocol !== "file:") return invalid(what, "must be a file: URL");
  if (url.search !== "" || url.hash !== "")
    return invalid(what, "must be a file: URL without query or fragment");
  return url.href;
}

function encodeSegments(path: string, what: string): string {
  if (path.includes("\0")) return invalid(what, "must not contain a NUL character");
  try {
    return path.split("/").map(encodeURIComponent).join("/");
  } catch {
    return invalid(what, "is not well-formed Unicode");
  }
}

function invalid(what: string, problem: string): never {
  throw new UsageError("ERR_INVALID_ARGUMENT", `${what} ${problem}`);
}
