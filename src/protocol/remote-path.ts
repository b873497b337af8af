import {
  formatPathUri,
  invalid,
  isUrl,
  isWellFormed,
  nameOf,
  type PathUri,
  parsePath,
  parseWindows,
  resolveNames,
  rooted,
  toNativePath,
} from "./path-uri.ts";

/**
 * Path arithmetic for the server's machine, whatever machine this runs on. The first path says whether it is POSIX or
 * Windows; it may be native or a `file:` URL, and what comes back has the same form. Nothing asks the server.
 */
export const remotePath = {
  /**
   * Appends names, or an absolute path, which then replaces the base. `..` never leads above the root.
   * @throws UsageError for a relative base, a NUL character, or a Windows path relative to another drive (`D:x`).
   */
  join(base: string | URL, ...names: string[]): string {
    return joinPaths(base, ...names);
  },

  /** The directory a path is in; a root is its own. */
  dirname(path: string | URL): string {
    const parsed = parsePath(path, "The path");
    if (parsed.opaque || parsed.segments.length === 0) return inFormOf(path, parsed);
    return inFormOf(path, rooted(parsed.root, parsed.segments.slice(0, -1), false));
  },

  /**
   * The last name, decoded unless that would make it a path; of a drive or share its own name, and "" of the POSIX
   * root.
   */
  basename(path: string | URL): string {
    const parsed = parsePath(path, "The path");
    if (parsed.opaque) return "";
    const last = parsed.segments.at(-1) ?? (parsed.windows ? parsed.root.split("/").at(-1) : "") ?? "";
    return nameOf(last, parsed.windows) ?? last;
  },

  /**
   * The way from one directory to a path, as a native relative path; "" for the same. A path on another drive or share,
   * or with a name that has no native form, is returned as it is.
   */
  relative(from: string | URL, to: string | URL): string {
    const [start, end] = [parsePath(from, "The first path"), parsePath(to, "The second path")];
    if (start.opaque || end.opaque || start.root !== end.root) return String(to);
    let common = 0;
    while (common < start.segments.length && start.segments[common] === end.segments[common]) common++;
    const up = start.segments.slice(common).map(() => "..");
    const down = end.segments.slice(common).map((segment) => nameOf(segment, end.windows));
    if (down.includes(undefined)) return String(to);
    return [...up, ...down].join(start.windows ? "\\" : "/");
  },

  /**
   * Whether a path is the directory itself or lies below it, name by name. False when a name hides an encoded
   * separator: nobody can tell where that leads.
   */
  startsWith(path: string | URL, directory: string | URL): boolean {
    const [inner, outer] = [parsePath(path, "The path"), parsePath(directory, "The directory")];
    if (inner.opaque || outer.opaque) return formatPathUri(inner) === formatPathUri(outer);
    if (inner.root !== outer.root) return false;
    if (outer.segments.some((segment, at) => inner.segments[at] !== segment)) return false;
    // Looked for in the encoded text: a name need not be UTF-8.
    return inner.segments.every(
      (segment) => !/%2f/i.test(segment) && !(inner.windows && /%5c/i.test(segment)),
    );
  },
} as const;

/** Apart, so that who needs nothing else does not get the rest. */
export function joinPaths(base: string | URL, ...names: string[]): string {
  return inFormOf(base, names.reduce(joined, parsePath(base, "The base path")));
}

function joined(base: PathUri, name: string): PathUri {
  if (typeof name !== "string" || name.includes("\0") || !isWellFormed(name)) {
    return invalid("A path to join", "must be well-formed Unicode without a NUL character");
  }
  if (name === "") return base;
  if (base.opaque) return invalid("The base path", "is opaque and can't be joined with anything");
  const absolute = base.windows ? parseWindows(name) : undefined;
  if (absolute) return absolute;
  if (base.windows && /^([a-z]:|[\\/]{2}[^\\/])/i.test(name))
    return invalid("A path to join", "must be whole or relative to the base, not to a drive or host");
  const slashed = base.windows ? name.replaceAll("\\", "/") : name;
  const segments = resolveNames(slashed.startsWith("/") ? [] : base.segments, slashed.split("/"));
  return rooted(base.root, segments, slashed.endsWith("/"));
}

function inFormOf(original: string | URL, path: PathUri): string {
  const uri = formatPathUri(path);
  return isUrl(original) ? uri : toNativePath(uri);
}
