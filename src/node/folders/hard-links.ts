import { innerName } from "./local-target.ts";
import type { TarEntry } from "./tar-header.ts";

interface ArchivedFile {
  readonly size: number;
  /** The entry that has the data on this side. Undefined while none has: the file is excluded. */
  holder?: string;
}

/**
 * The files of an archive, by their names. Of a file with several names, the archive has the data once, at the first name;
 * the others are links to that, in the archive only: on the disk, all are equal.
 */
export class ArchivedFiles {
  readonly #files = new Map<string, ArchivedFile>();

  /** Registers an entry. That of a hard link is returned with its size, and with a target that is on this side, if any. */
  seen(entry: TarEntry): TarEntry {
    const { type, name, size } = entry;
    if (type === "file") this.#files.set(name, { size });
    if (type !== "link") return entry;
    const file = this.#files.get(innerName(entry.target));
    if (!file) return entry;
    this.#files.set(name, file);
    return { ...entry, size: file.size, target: file.holder ?? name };
  }

  /** Whether an entry is a hard link, and no entry with its data is on this side. */
  isAlone({ type, name }: TarEntry): boolean {
    const file = type === "link" ? this.#files.get(name) : undefined;
    return file !== undefined && file.holder === undefined;
  }

  /** The entry is on this side. */
  brought({ name }: TarEntry): void {
    const file = this.#files.get(name);
    if (file) file.holder ??= name;
  }
}

/** A name, whose characters are bytes, as a part of a URI. */
export function encodedName(name: string): string {
  const encoded = (byte: string): string =>
    `%${byte.charCodeAt(0).toString(16).padStart(2, "0").toUpperCase()}`;
  return name.replace(/[^A-Za-z0-9\-._~/]/g, encoded);
}
