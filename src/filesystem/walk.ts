import type { PathParams } from "../protocol/filesystem.ts";
import { toNativePath } from "../protocol/path-uri.ts";
import type { WalkResult } from "./entries.ts";
import type { FileSession } from "./file-session.ts";
import type { WalkOptions } from "./options.ts";

/** Walks on the server, in one request. */
export async function walk(
  { rpc, server }: FileSession,
  root: PathParams,
  limits: WalkOptions,
): Promise<WalkResult> {
  server.need("walk", "walk()");
  const options = {
    maxDepth: limits.maxDepth ?? 64,
    maxDirectories: limits.maxDirectories ?? 10_000,
    maxEntries: limits.maxEntries ?? 50_000,
    followDirectorySymlinks: limits.followDirectorySymlinks ?? false,
    pruneHiddenDirectories: limits.pruneHiddenDirectories ?? false,
  };
  const found = await rpc.call("fs/walk", { ...root, options }, { signal: limits.signal });
  return {
    entries: found.entries.map(({ path, kind }) => ({ path: toNativePath(path), kind })),
    errors: found.errors.map(({ path, message }) => ({ path: toNativePath(path), message })),
    truncated: found.truncated,
  };
}
