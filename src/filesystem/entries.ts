import type { WireMetadata } from "../protocol/filesystem.ts";

/** What a path is, as in `node:fs`: a link counts as what it leads to, and besides as a link. */
export interface RemoteStats {
  /** In bytes; 0 from a server that does not tell. */
  readonly size: number;
  /** When it was last written, in milliseconds since 1970; 0 where the server's system does not tell. */
  readonly mtimeMs: number;
  /** The same as a date. */
  readonly mtime: Date;
  /** When it was made, in milliseconds since 1970; 0 where the server's system does not tell. */
  readonly birthtimeMs: number;
  /** The same as a date. */
  readonly birthtime: Date;
  /** Whether it is, or a link leads to, a regular file. */
  isFile(): boolean;
  /** Whether it is, or a link leads to, a directory. */
  isDirectory(): boolean;
  /** Whether it is itself a link. */
  isSymbolicLink(): boolean;
}

/** An entry of a directory, as in `node:fs`. */
export interface RemoteDirent {
  /** Its name within the directory. */
  readonly name: string;
  /** The directory it is in, as it was asked for. */
  readonly parentPath: string;
  /** Whether it is, or a link leads to, a regular file. */
  isFile(): boolean;
  /** Whether it is, or a link leads to, a directory. */
  isDirectory(): boolean;
}

/** One thing a walk came by; its path is native. */
export interface WalkEntry {
  /** Its absolute path. */
  readonly path: string;
  /** What it is; other things are left out. */
  readonly kind: "file" | "directory";
}

/** What a walk found. */
export interface WalkResult {
  /** Level by level, by name within a directory. */
  readonly entries: readonly WalkEntry[];
  /** Directories that could not be read. */
  readonly errors: readonly {
    /** The native path. */
    readonly path: string;
    /** Why not, in the server's words. */
    readonly message: string;
  }[];
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
