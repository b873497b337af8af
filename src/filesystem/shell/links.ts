import { invalid, received } from "../../internal/arguments.ts";
import { textOf } from "../../internal/bytes.ts";
import { isUrl } from "../../internal/realms.ts";
import type { PathParams } from "../../protocol/filesystem.ts";
import { checkText, toNativePath, toPathUri } from "../../protocol/path-uri.ts";
import { type RemoteStats, statsOf } from "../entries.ts";
import { type FileSession, isRefusal } from "../file-session.ts";
import { escapedText, runFileScript } from "./run-script.ts";

/** The target of a new link: a text as it is, even if it looks like a URL, or the native path of a URL. */
export function linkTarget(target: string | URL): string {
  if (isUrl(target)) return toNativePath(toPathUri(target, "target"));
  if (typeof target !== "string") return invalid(`target must be a string or a URL, got ${received(target)}`);
  checkText(target, "target");
  return target;
}

export async function makeLink(
  session: FileSession,
  target: string,
  path: PathParams,
  signal: AbortSignal | undefined,
): Promise<void> {
  await runFileScript(session, ["ln", escapedText(target)], path, { signal });
}

/** The target of a link as it is stored. */
export async function readLink(
  session: FileSession,
  path: PathParams,
  signal: AbortSignal | undefined,
): Promise<string> {
  const printed = await runFileScript(session, ["readlink"], path, { signal });
  return textOf(printed.subarray(0, -1));
}

/** The metadata of a path itself. The server has that of anything but a link. */
export async function linkStats(
  session: FileSession,
  path: PathParams,
  signal: AbortSignal | undefined,
): Promise<RemoteStats> {
  const native = toNativePath(path.path);
  const isPosix = native.startsWith("/");
  // The server ignores a slash at the end; on a POSIX system it stands for the directory that a link leads to.
  const isFollowed = isPosix && native.endsWith("/");
  try {
    const metadata = await session.rpc.call("fs/getMetadata", path, { signal });
    if (isFollowed ? metadata.isDirectory : !metadata.isSymlink)
      return statsOf({ ...metadata, isSymlink: false });
  } catch (error) {
    // A link without a target.
    if (!isRefusal(error, signal) || !isPosix) throw error;
  }
  const printed = await runFileScript(session, ["lstat"], path, { signal });
  const [size = 0, modified = 0, created = 0] = textOf(printed).trim().split(" ").map(Number);
  return statsOf({
    isFile: false,
    isDirectory: false,
    isSymlink: true,
    size,
    modifiedAtMs: Math.round(modified * 1000),
    // Some tools do not know it.
    createdAtMs: Math.round(created * 1000) || 0,
  });
}
