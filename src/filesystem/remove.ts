import { invalid } from "../internal/arguments.ts";
import type { PathParams } from "../protocol/filesystem.ts";
import { type FileSession, lookUp } from "./file-session.ts";
import type { RmOptions } from "./options.ts";

/** Removes as Node does. The server also removes an empty directory without `recursive`, which Node refuses. */
export async function remove(
  session: FileSession,
  path: PathParams,
  { recursive = false, force = false, signal }: RmOptions,
): Promise<void> {
  const { rpc } = session;
  const found = recursive ? undefined : await lookUp(session, path, signal);
  if (found?.isDirectory && !found.isSymlink) {
    const { entries } = await rpc.call("fs/readDirectory", path, { signal });
    // The server refuses one that is not empty.
    if (entries.length === 0) invalid("path must not be a directory unless recursive is true");
  }
  await rpc.call("fs/remove", { ...path, recursive, force }, { signal });
}
