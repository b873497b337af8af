import { invalid, received } from "../internal/arguments.ts";
import {
  checkText,
  formatPathUri,
  hasEncodedSeparator,
  isUrl,
  nameOf,
  type PathUri,
  parsePath,
  parseWindows,
  resolveNames,
  rooted,
  toNativePath,
} from "./path-uri.ts";

/**
 * Path arithmetic for the server's machine, independent of the local machine. The first path determines whether paths are
 * POSIX or Windows. It can be native or a `file:` URL, and the result has the same form. No request is sent.
 *
 * @namespace
 * @example
 * import { remotePath } from "exec-server-sdk";
 *
 * remotePath.join("C:\\work", "src", "a.ts"); // C:\work\src\a.ts, on every machine
 * remotePath.dirname("file:///work/src/a.ts"); // file:///work/src
 */
export const remotePath = {
  /**
   * Appends names to the base. An absolute path replaces the base. `..` never leads above the root.
   *
   * @throws UsageError `ERR_INVALID_ARGUMENT` for a relative base, a NUL character, or a Windows path relative to another
   * drive (`D:x`).
   * @example
   * import { remotePath } from "exec-server-sdk";
   *
   * remotePath.join("/work/src", "..", "dist", "a.js"); // /work/dist/a.js
   */
  join(base: string | URL, ...names: string[]): string {
    return joinPaths(base, ...names);
  },

  /**
   * The parent directory of a path; a root for itself.
   *
   * @example
   * import { remotePath } from "exec-server-sdk";
   *
   * remotePath.dirname("/work/src/a.ts"); // /work/src
   */
  dirname(path: string | URL): string {
    const parsed = parsePath(path, "path");
    if (parsed.opaque || parsed.segments.length === 0) return inFormOf(path, parsed);
    return inFormOf(path, rooted(parsed.root, parsed.segments.slice(0, -1), false));
  },

  /**
   * The last name of a path, decoded unless the decoded name would contain a separator. For a drive or share its name,
   * for the POSIX root "".
   *
   * @example
   * import { remotePath } from "exec-server-sdk";
   *
   * remotePath.basename("file:///work/a%20b.ts"); // a b.ts
   */
  basename(path: string | URL): string {
    const parsed = parsePath(path, "path");
    if (parsed.opaque) return "";
    const last = parsed.segments.at(-1) ?? (parsed.windows ? parsed.root.split("/").at(-1) : "") ?? "";
    return nameOf(last, parsed.windows) ?? last;
  },

  /**
   * The native relative path from a directory to a path; "" if both are the same. A path on another drive or share, or
   * with a name that has no native form, is returned unchanged.
   *
   * @example
   * import { remotePath } from "exec-server-sdk";
   *
   * remotePath.relative("/work/src", "/work/dist/a.js"); // ../dist/a.js
   */
  relative(from: string | URL, to: string | URL): string {
    const [start, end] = [parsePath(from, "from"), parsePath(to, "to")];
    if (start.opaque || end.opaque || start.root !== end.root) return String(to);
    let common = 0;
    while (common < start.segments.length && start.segments[common] === end.segments[common]) common++;
    const up = start.segments.slice(common).map(() => "..");
    const down = end.segments.slice(common).map((segment) => nameOf(segment, end.windows));
    if (down.includes(undefined)) return String(to);
    return [...up, ...down].join(start.windows ? "\\" : "/");
  },

  /**
   * Whether a path is the directory or lies below it, compared name by name. False if a name contains an encoded
   * separator, because its target is unknown.
   *
   * @example
   * import { remotePath } from "exec-server-sdk";
   *
   * remotePath.startsWith("/work/src/a.ts", "/work"); // true
   * remotePath.startsWith("/workshop", "/work"); // false
   */
  startsWith(path: string | URL, directory: string | URL): boolean {
    const [inner, outer] = [parsePath(path, "path"), parsePath(directory, "directory")];
    if (inner.opaque || outer.opaque) return formatPathUri(inner) === formatPathUri(outer);
    if (inner.root !== outer.root) return false;
    if (outer.segments.some((segment, at) => inner.segments[at] !== segment)) return false;
    return !hasEncodedSeparator(inner);
  },
} as const;

/** `remotePath.join` on its own, so that a bundle without `remotePath` omits the other methods. */
export function joinPaths(base: string | URL, ...names: string[]): string {
  return inFormOf(base, names.reduce(joined, parsePath(base, "base")));
}

function joined(base: PathUri, name: string): PathUri {
  if (typeof name !== "string") return invalid(`name must be a string, got ${received(name)}`);
  checkText(name, "name");
  if (name === "") return base;
  if (base.opaque) return invalid("base must be a path that can be extended, got an opaque path");
  const absolute = base.windows ? parseWindows(name) : undefined;
  if (absolute) return absolute;
  if (base.windows && /^([a-z]:|[\\/]{2}[^\\/])/i.test(name))
    return invalid("name must be absolute or relative to the base, got one relative to a drive or host");
  const slashed = base.windows ? name.replaceAll("\\", "/") : name;
  const segments = resolveNames(slashed.startsWith("/") ? [] : base.segments, slashed.split("/"));
  return rooted(base.root, segments, slashed.endsWith("/"));
}

function inFormOf(original: string | URL, path: PathUri): string {
  const uri = formatPathUri(path);
  return isUrl(original) ? uri : toNativePath(uri);
}
