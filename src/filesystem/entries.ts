import type { WireMetadata } from "../protocol/filesystem.ts";

/** Metadata of a path, as in `node:fs`. A link has the metadata of its target, and `isSymbolicLink()` is true. */
export interface RemoteStats {
  /** Size in bytes. 0 if the server does not report it. */
  readonly size: number;
  /** Time of the last write, in milliseconds since 1970. 0 if the server's system does not report it. */
  readonly mtimeMs: number;
  /** `mtimeMs` as a date. */
  readonly mtime: Date;
  /** Time of creation, in milliseconds since 1970. 0 if the server's system does not report it. */
  readonly birthtimeMs: number;
  /** `birthtimeMs` as a date. */
  readonly birthtime: Date;
  /** Whether it is a regular file, or a link to one. */
  isFile(): boolean;
  /** Whether it is a directory, or a link to one. */
  isDirectory(): boolean;
  /** Whether the path itself is a link. */
  isSymbolicLink(): boolean;
}

/** An entry of a directory, as in `node:fs`: a link is neither a file nor a directory. `stat()` has its target's type. */
export interface RemoteDirent {
  /** The name within its directory. */
  readonly name: string;
  /** The native path of its directory. */
  readonly parentPath: string;
  /** Whether it is a regular file. */
  isFile(): boolean;
  /** Whether it is a directory. */
  isDirectory(): boolean;
  /** Whether it is a link. */
  isSymbolicLink(): boolean;
}

/** An entry of a directory. */
export interface Entry {
  readonly name: string;
  /** The name, behind the names of the directories between it and the listed one. */
  readonly relativePath: string;
  /** The native path of its directory. */
  readonly parentPath: string;
  /** Those of the target, for a link. */
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  /** Undefined if it was not asked for. */
  readonly isLink: boolean | undefined;
}

/** One entry that a walk found. */
export interface WalkEntry {
  /** The absolute native path. */
  readonly path: string;
  /** Whether it is a file or a directory. Links that are not followed and special files are left out. */
  readonly kind: "file" | "directory";
}

/** A directory that a walk could not read. */
export interface WalkError {
  /** The native path. */
  readonly path: string;
  /** The server's error message. */
  readonly message: string;
}

/** The result of a walk. */
export interface WalkResult {
  /** Sorted level by level, and by name within a directory. */
  readonly entries: readonly WalkEntry[];
  /** Directories that could not be read. */
  readonly errors: readonly WalkError[];
  /** Whether a limit ended the walk early. */
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

export function direntOf({ name, parentPath, isFile, isDirectory, isLink = false }: Entry): RemoteDirent {
  return {
    name,
    parentPath,
    isFile: () => isFile && !isLink,
    isDirectory: () => isDirectory && !isLink,
    isSymbolicLink: () => isLink,
  };
}
