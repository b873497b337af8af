import { linkedController } from "../internal/abort.ts";
import type { PathParams } from "../protocol/filesystem.ts";
import { parsePath, toNativePath } from "../protocol/path-uri.ts";
import { joinPaths } from "../protocol/remote-path.ts";
import type { Entry } from "./entries.ts";
import { type FileSession, isRefusal, lookUp } from "./file-session.ts";
import { walk } from "./walk.ts";

interface ListOptions {
  /** Also lists the directories inside, with `withFileTypes` those behind links excepted. */
  readonly recursive?: boolean | undefined;
  /** Finds out which entries are links. */
  readonly withFileTypes?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Lists a directory. The server leaves out links without a target. */
export async function list(
  session: FileSession,
  { path, sandbox }: PathParams,
  { recursive, withFileTypes, signal }: ListOptions,
): Promise<Entry[]> {
  const root = parsePath(path, "path");
  const separator = root.opaque || root.windows ? "\\" : "/";
  // The first error also ends the requests for the other directories.
  const { controller, unlink } = linkedController(signal);
  const visit = async (directory: string, prefix: string): Promise<Entry[]> => {
    const parentPath = toNativePath(directory);
    const params = { path: directory, sandbox };
    const [{ entries }, plain] = await Promise.all([
      session.rpc.call("fs/readDirectory", params, { signal: controller.signal }),
      withFileTypes ? pathsThatAreNoLinks(session, params, controller.signal) : undefined,
    ]);
    // A walk drops tabs and line ends from names, and then takes such a file for another one.
    if (entries.some(({ fileName }) => /[\t\n\r]/.test(fileName))) plain?.clear();
    const found = entries.map(async ({ fileName: name, isFile, isDirectory }): Promise<Entry[]> => {
      // Names can't be appended to every path that can be listed.
      const path = plain || recursive ? joinPaths(directory, name) : "";
      const params = { path, sandbox };
      const isLink =
        plain &&
        !plain.has(toNativePath(path)) &&
        (await lookUp(session, params, controller.signal))?.isSymlink === true;
      const entry = { name, relativePath: prefix + name, parentPath, isFile, isDirectory, isLink };
      if (!recursive || !isDirectory || isLink) return [entry];
      return [entry, ...(await visit(path, entry.relativePath + separator))];
    });
    return (await Promise.all(found)).flat();
  };
  try {
    return await visit(path, "");
  } catch (error) {
    controller.abort(error);
    throw error;
  } finally {
    unlink();
  }
}

/**
 * A listing does not report links, but a walk leaves them out: what it lists is none. Only the other entries, usually
 * few, need a request each.
 */
async function pathsThatAreNoLinks(
  session: FileSession,
  directory: PathParams,
  signal: AbortSignal,
): Promise<Set<string>> {
  try {
    const { entries } = await walk(session, directory, { maxDepth: 0, signal });
    return new Set(entries.map(({ path }) => path));
  } catch (error) {
    if (isRefusal(error, signal)) return new Set();
    throw error;
  }
}
