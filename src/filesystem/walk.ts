import { ServerError } from "../errors.ts";
import { isAbortReason } from "../internal/abort.ts";
import { invalid, received } from "../internal/arguments.ts";
import type { WalkLimits, WireWalkResult } from "../protocol/filesystem.ts";
import type { ParamsOf, ResultOf } from "../protocol/methods.ts";
import { toNativePath } from "../protocol/path-uri.ts";
import { joinPaths } from "../protocol/remote-path.ts";
import type { WalkResult } from "./entries.ts";
import type { WalkOptions } from "./options.ts";

type WalkMethod = "fs/walk" | "fs/readDirectory" | "fs/getMetadata" | "fs/canonicalize";
type Call = <M extends WalkMethod>(method: M, params: ParamsOf<M>) => Promise<ResultOf<M>>;
type WireEntry = ResultOf<"fs/readDirectory">["entries"][number];
type Root = Pick<ParamsOf<"fs/walk">, "path" | "sandbox">;

/** Walks on the server. On a server without `fs/walk`, walks entry by entry with older methods. */
export async function walk(call: Call, root: Root, limits: WalkOptions): Promise<WalkResult> {
  const { signal } = limits;
  const options = {
    maxDepth: limits.maxDepth ?? 64,
    maxDirectories: limits.maxDirectories ?? 10_000,
    maxEntries: limits.maxEntries ?? 50_000,
    followDirectorySymlinks: limits.followDirectorySymlinks ?? false,
    pruneHiddenDirectories: limits.pruneHiddenDirectories ?? false,
  };
  let found: WireWalkResult;
  try {
    found = await call("fs/walk", { ...root, options });
  } catch (error) {
    if (!isRefusal(error, signal) || error.kind !== "unsupported") throw error;
    checkLimits(options);
    found = await walkByEntry(call, root, options, signal);
  }
  return {
    entries: found.entries.map(({ path, kind }) => ({ path: toNativePath(path), kind })),
    errors: found.errors.map(({ path, message }) => ({ path: toNativePath(path), message })),
    truncated: found.truncated,
  };
}

/** The same walk with older methods: level by level, by name within a directory. */
async function walkByEntry(
  call: Call,
  root: Root,
  limits: Required<WalkLimits>,
  signal: AbortSignal | undefined,
): Promise<WireWalkResult> {
  const {
    maxDepth = 0,
    maxDirectories = 0,
    maxEntries = 0,
    followDirectorySymlinks,
    pruneHiddenDirectories,
  } = limits;
  const { sandbox } = root;
  const result: WireWalkResult = { entries: [], errors: [], truncated: false };
  const entered = new Set<string>();
  let seen = 0;
  let level = (await isEnterable(root.path)) ? [root.path] : [];
  for (let depth = 0; level.length > 0 && depth <= maxDepth; depth++) {
    const next: string[] = [];
    for (const directory of level) {
      if (entered.size === maxDirectories) return { ...result, truncated: true };
      if (!(await enter(directory))) continue;
      for (const { path, name, kind, isLink } of await list(directory)) {
        if (++seen > maxEntries) return { ...result, truncated: true };
        if (!kind || (isLink && !(kind === "directory" && followDirectorySymlinks))) continue;
        result.entries.push({ path, kind });
        const isPruned = pruneHiddenDirectories && name.startsWith(".");
        if (kind === "directory" && !isPruned) next.push(path);
      }
    }
    level = next;
  }
  return result;

  async function isEnterable(path: string): Promise<boolean> {
    const { isDirectory, isSymlink } = await call("fs/getMetadata", { path, sandbox });
    return isDirectory && (followDirectorySymlinks === true || !isSymlink);
  }

  /** Links can form a circle, so each real directory is entered once. */
  async function enter(path: string): Promise<boolean> {
    const real = followDirectorySymlinks ? (await call("fs/canonicalize", { path, sandbox })).path : path;
    if (entered.has(real)) return false;
    entered.add(real);
    return true;
  }

  async function list(directory: string) {
    try {
      const { entries } = await call("fs/readDirectory", { path: directory, sandbox });
      entries.sort((a, b) => byCodePoint(a.fileName, b.fileName));
      return (await Promise.all(entries.map((entry) => describe(directory, entry)))).flat();
    } catch (error) {
      return report(directory, error);
    }
  }

  async function describe(directory: string, { fileName: name, isDirectory, isFile }: WireEntry) {
    const path = joinPaths(directory, name);
    const kind = isDirectory ? ("directory" as const) : isFile ? ("file" as const) : undefined;
    try {
      // The listing does not report links.
      const { isSymlink } = await call("fs/getMetadata", { path, sandbox });
      return [{ path, name, kind, isLink: isSymlink }];
    } catch (error) {
      return report(path, error);
    }
  }

  /** An error that the server reports for one path becomes part of the result. Any other error ends the walk. */
  function report(path: string, error: unknown): [] {
    if (!isRefusal(error, signal)) throw error;
    result.errors.push({ path, message: error.message });
    return [];
  }
}

/** Whether the server rejected a request. An abort reason can be a ServerError too, but says nothing of the request. */
function isRefusal(error: unknown, signal: AbortSignal | undefined): error is ServerError {
  return error instanceof ServerError && !isAbortReason(error, signal);
}

/** Applies the same limits as `fs/walk`. */
function checkLimits({ maxDepth, maxDirectories, maxEntries }: Required<WalkLimits>): void {
  checkLimit("maxDepth", maxDepth, 0, 64);
  checkLimit("maxDirectories", maxDirectories, 1, 10_000);
  checkLimit("maxEntries", maxEntries, 1, 50_000);
}

function checkLimit(name: string, limit: unknown, least: number, most: number): void {
  if (Number.isInteger(limit) && Number(limit) >= least && Number(limit) <= most) return;
  invalid(`walk(): ${name} must be an integer from ${least} to ${most}, got ${received(limit)}`);
}

/** Compares by code point, as the server does. JavaScript compares UTF-16 code units. */
function byCodePoint(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return (a.codePointAt(at) ?? -1) - (b.codePointAt(at) ?? -1);
}
