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

/** An entry of a directory, as in `node:fs`. */
export interface RemoteDirent {
  /** The name within the directory. */
  readonly name: string;
  /** The native path of the directory that was listed. */
  readonly parentPath: string;
  /** Whether it is a regular file, or a link to one. */
  isFile(): boolean;
  /** Whether it is a directory, or a link to one. */
  isDirectory(): boolean;
}

/** One entry that a walk found. */
export interface WalkEntry {
  /** The absolute native path. */
  readonly path: string;
  /** Whether it is a file or a directory. Links that are not followed and special files are left out. */
  readonly kind: "file" | "directory";
}

/** The result of a walk. */
export interface WalkResult {
  /** Sorted level by level, and by name within a directory. */
  readonly entries: readonly WalkEntry[];
  /** Directories that could not be read. */
  readonly errors: readonly {
    /** The native path. */
    readonly path: string;
    /** The server's error message. */
    readonly message: string;
  }[];
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
