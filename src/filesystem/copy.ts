import { ServerError } from "../errors/server.ts";
import { invalid, unsupported } from "../internal/arguments.ts";
import { shownText } from "../internal/operation.ts";
import type { PathParams } from "../protocol/filesystem.ts";
import { RPC_INTERNAL_ERROR } from "../protocol/json-rpc.ts";
import { checkFileUri, toNativePath } from "../protocol/path-uri.ts";
import { joinPaths } from "../protocol/remote-path.ts";
import { list } from "./directory.ts";
import { type FileSession, lookUp } from "./file-session.ts";
import type { CopyOptions } from "./options.ts";

/**
 * Copies as Node does. The server's own copy empties a file that is copied onto itself, and writes through links, so what
 * exists at the destination is looked at first.
 */
export async function copy(
  session: FileSession,
  source: PathParams,
  destination: PathParams,
  { recursive = false, force = true, errorOnExist = false, signal }: CopyOptions,
): Promise<void> {
  const { rpc } = session;
  if (!recursive) checkFileUri(destination.path, "destination");
  const target = await lookUp(session, destination, signal);
  if (target) {
    if (target.isSymlink) refuseLink(destination.path);
    const [from, to, { isFile, isDirectory, isSymlink }] = await Promise.all([
      rpc.call("fs/canonicalize", source, { signal }),
      rpc.call("fs/canonicalize", destination, { signal }),
      rpc.call("fs/getMetadata", source, { signal }),
    ]);
    if (from.path === to.path) invalid("destination must be another file than source, got the same");
    const isMerge = isDirectory && !isSymlink && target.isDirectory;
    if (!force && isMerge) {
      unsupported("force must be true for a directory that exists: copy its entries one by one");
    }
    if (!force && isFile && !isSymlink && !target.isDirectory) {
      if (!errorOnExist) return;
      throw new ServerError("The destination exists", {
        // As the server reports it.
        rpcCode: RPC_INTERNAL_ERROR,
        kind: "already-exists",
        sessionId: rpc.sessionId,
        delivery: "not-sent",
      });
    }
    if (isMerge && recursive) await refuseLinksInside(session, source, destination, signal);
  }
  const { path: sourcePath, sandbox } = source;
  const params = { sourcePath, destinationPath: destination.path, recursive, sandbox };
  await rpc.call("fs/copy", params, { signal });
}

/** Refuses links in a directory at the places where entries of another one are copied to. */
async function refuseLinksInside(
  session: FileSession,
  source: PathParams,
  destination: PathParams,
  signal: AbortSignal | undefined,
): Promise<void> {
  const [from, to] = await Promise.all([
    list(session, source, { signal }),
    list(session, destination, { signal, withFileTypes: true }),
  ]);
  const copied = new Map(from.map((entry) => [entry.name, entry]));
  const checks = to.map(async ({ name, isLink, isDirectory }) => {
    const entry = copied.get(name);
    if (!entry) return;
    const below = (parent: PathParams): PathParams => ({ ...parent, path: joinPaths(parent.path, name) });
    if (isLink) refuseLink(below(destination).path);
    if (isDirectory && entry.isDirectory) {
      await refuseLinksInside(session, below(source), below(destination), signal);
    }
  });
  await Promise.all(checks);
}

function refuseLink(path: string): never {
  const link = shownText(toNativePath(path));
  return unsupported(`The copy would write through the link '${link}': remove it, or copy to its realpath()`);
}
