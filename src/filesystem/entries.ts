import type { WireMetadata } from "../protocol/filesystem.ts";

/** What a path is, as in `node:fs`: a link counts as what it leads to, and besides as a link. */
export interface RemoteStats {
  /** In bytes; 0 from a server that does not tell. */
  readonly size: number;
  /** Milliseconds since 1970; 0 where the server's system does not tell. */
  readonly mtimeMs: number;
  readonly mtime: Date;
  /** Milliseconds since 1970; 0 where the server's system does not tell. */
  readonly birthtimeMs: number;
  readonly birthtime: Date;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

/** An entry of a directory, as in `node:fs`. */
export interface RemoteDirent {
  readonly name: string;
  /** The directory it is in, as it was asked for. */
  readonly parentPath: string;
  isFile(): boolean;
  isDirectory(): boolean;
}

/** One thing a walk came by; its path is native. */
export interface WalkEntry {
  readonly path: string;
  readonly kind: "file" | "directory";
}

export interface WalkResult {
  /** Level by level, by name within a directory. */
  readonly entries: readonly WalkEntry[];
  /** Directories that could not be read. */
  readonly errors: readonly { readonly path: string; readonly message: string }[];
  /** Whether a limit ended the walk. */
  readonly truncated: boolean;
}

export function statsOf(metadata: WireMetadata): RemoteStats {
  const mtimeMs = metadata.modifiedAtMs ?? 0;
  const birthtimeMs = metadata.createdAtMs ?? 0;
  return {
    size: metadata.size ?? 0,
    mtimeMs,
    mtime: new Date(mtimeMs),
    birthtimeMs,
    birthtime: new Date(birthtimeMs),
    isFile: () => metadata.isFile,
    isDirectory: () => metadata.isDirectory,
    isSymbolicLink: () => metadata.isSymlink ?? false,
  };
}

export function direntOf(
  parentPath: string,
  entry: { fileName: string; isFile: boolean; isDirectory: boolean },
): RemoteDirent {
  return {
    name: entry.fileName,
    parentPath,
    isFile: () => entry.isFile,
    isDirectory: () => entry.isDirectory,
  };
}
