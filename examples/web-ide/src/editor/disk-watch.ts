import type { FileStore } from "./file-store.ts";
import type { OpenFile } from "./open-file.ts";

/**
 * Looks whether a file was changed on the server, each time it is shown or the page gets the focus. A file without changes
 * of its own is read again; otherwise a banner says so, and a save asks.
 */
export class DiskWatch {
  readonly #store: FileStore;
  readonly #isConnected: () => boolean;
  readonly #onChange: (file: OpenFile) => void;
  readonly #reload: (file: OpenFile) => void;

  constructor(options: {
    store: FileStore;
    isConnected: () => boolean;
    onChange: (file: OpenFile) => void;
    /** Shows its errors itself. */
    reload: (file: OpenFile) => void;
  }) {
    this.#store = options.store;
    this.#isConnected = options.isConnected;
    this.#onChange = options.onChange;
    this.#reload = options.reload;
  }

  /** Never rejects: a file that can't be looked at is looked at again with the next save. */
  async look(file: OpenFile): Promise<void> {
    // A look is no action of the user, so it must not open a connection.
    if (file.isSaving || !file.version || !this.#isConnected()) return;
    const { version } = file;
    try {
      const found = await this.#store.compare(file.path, version, () => [file.bytesOf(file.saved)]);
      // A save or a reload has been quicker.
      if (found === "same" || file.version !== version || file.isSaving) return;
      if (found === "changed" && !file.isChanged) return this.#reload(file);
      if (found === "missing") file.markMissing();
      else file.markChanged(() => this.#reload(file));
      this.#onChange(file);
    } catch {}
  }
}
