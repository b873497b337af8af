import type { RemoteFileSystem } from "../../filesystem/remote-filesystem.ts";
import { isAbortReason } from "../../internal/abort.ts";
import type { Awaitable } from "../../internal/awaitable.ts";
import { guarded } from "../../internal/guarded.ts";
import { inOperation, markShared, reattribute } from "../../internal/operation.ts";
import {
  aFunction,
  aNonEmptyString,
  anAbortSignal,
  checkArgument,
  checkOptions,
  type Rules,
} from "../../internal/option-rules.ts";
import { toPathUri } from "../../protocol/path-uri.ts";
import { aClientWith } from "../client-rule.ts";
import type { TarEntry } from "./tar-header.ts";

/** A client of either kind. */
export interface FolderClient {
  /** The files of the server's machine. */
  readonly fs: RemoteFileSystem;
}

/** An entry of a folder, for the filter. */
export interface FolderEntry {
  /** What it is. A link counts as such, whatever it leads to. Each name of a file with several (hard links) is a file. */
  readonly type: "file" | "directory" | "symlink";
  /** Size in bytes; 0 for a directory or a link. */
  readonly size: number;
  /** The permissions, such as 0o644. */
  readonly mode: number;
}

/** Progress of a folder's transfer. */
export interface FolderProgress {
  /** Files so far. Directories and links are not counted. */
  readonly files: number;
  /** Bytes of these files. */
  readonly bytes: number;
  /** The path of the last file, within the folder, with "/" between the names. */
  readonly path: string;
}

/** Options of `uploadDirectory` and `downloadDirectory`. */
export interface FolderOptions {
  /**
   * Whether an entry is transferred, asked by its path within the folder, with "/" between the names. Without a directory,
   * nothing in it is. The download of an excluded file still costs its transfer. @default everything
   */
  readonly filter?: ((path: string, entry: FolderEntry) => Awaitable<boolean>) | undefined;
  /** Called after each file. What it throws or rejects with is ignored. @default none */
  readonly onProgress?: ((progress: FolderProgress) => void) | undefined;
  /** Ends the transfer with the signal's reason. What has been written stays. @default none */
  readonly signal?: AbortSignal | undefined;
}

const FOLDER_RULES: Rules<FolderOptions> = {
  filter: aFunction,
  onProgress: aFunction,
  signal: anAbortSignal,
};

/** What a transfer has done. */
export interface FolderResult {
  /** Files. Directories and links are not counted. */
  readonly files: number;
  /** Bytes of these files. */
  readonly bytes: number;
  /**
   * Whether modes, times and links were transferred as well. False where the server has no `tar` or is no POSIX system:
   * there, files are transferred one by one, without links.
   */
  readonly exact: boolean;
}

export interface Call {
  readonly client: FolderClient;
  readonly localDir: string;
  readonly remoteDir: string | URL;
  readonly options: FolderOptions;
}

/** Checks the arguments and runs a transfer. Its errors name it, also those of the client's own methods. */
export async function inTransfer(
  operation: "uploadDirectory" | "downloadDirectory",
  { client, localDir, remoteDir, options }: Call,
  work: () => Promise<FolderResult>,
): Promise<FolderResult> {
  return await inOperation({ operation }, options?.signal, async () => {
    checkOptions(`${operation}()`, options, FOLDER_RULES);
    checkArgument("client", client, aClientWith("fs"));
    // An empty one would be the current directory.
    checkArgument("localDir", localDir, aNonEmptyString);
    toPathUri(remoteDir, "remoteDir");
    try {
      return await work();
    } catch (error) {
      if (!isAbortReason(error, options.signal)) reattribute(error, operation);
      throw error;
    }
  });
}

type Filter = NonNullable<FolderOptions["filter"]>;

/** Counts the files of one transfer, and asks its filter. */
export class Transfer {
  readonly signal: AbortSignal | undefined;
  readonly #options: FolderOptions;
  #files = 0;
  #bytes = 0;

  constructor(options: FolderOptions) {
    this.#options = options;
    this.signal = options.signal;
  }

  async includes({
    type,
    name,
    size,
    mode,
  }: Pick<TarEntry, "type" | "name" | "size" | "mode">): Promise<boolean> {
    const { filter } = this.#options;
    if (!filter || type === "other") return true;
    const isFile = type === "file" || type === "link";
    const entry = { type: isFile ? "file" : type, size: isFile ? size : 0, mode: mode & 0o777 } as const;
    const isIncluded = await this.#asked(filter, textOf(name), entry);
    this.signal?.throwIfAborted();
    return Boolean(isIncluded);
  }

  /** The filter's own errors keep their operation. */
  async #asked(filter: Filter, path: string, entry: FolderEntry): Promise<boolean> {
    try {
      return await filter(path, entry);
    } catch (error) {
      markShared(error);
      throw error;
    }
  }

  count(name: string, size: number): void {
    this.#files++;
    this.#bytes += size;
    const { onProgress } = this.#options;
    if (onProgress) guarded(onProgress, { files: this.#files, bytes: this.#bytes, path: textOf(name) });
  }

  result(exact: boolean): FolderResult {
    return { files: this.#files, bytes: this.#bytes, exact };
  }
}

/** The text of a name whose characters are bytes. */
export const textOf = (name: string): string => Buffer.from(name, "latin1").toString("utf8");
