import { ask } from "../page/dialog.ts";
import { explain } from "../page/notice.ts";
import type { FileStore } from "./file-store.ts";
import type { OpenFile } from "./open-file.ts";
import type { Transfers } from "./transfers.ts";

interface Saving {
  done: Promise<void>;
  /** Whether another save was requested meanwhile. */
  again: boolean;
}

/** Saves files one by one each, so that an older text never overwrites a newer one. */
export class Saver {
  readonly #store: FileStore;
  readonly #transfers: Transfers;
  readonly #onChange: (file: OpenFile) => void;
  readonly #reload: (file: OpenFile) => void;
  /** The saves in flight. A further request is served by the same loop, with the text at its turn. */
  readonly #saving = new Map<OpenFile, Saving>();

  constructor(options: {
    store: FileStore;
    transfers: Transfers;
    onChange: (file: OpenFile) => void;
    /** Shows its errors itself. */
    reload: (file: OpenFile) => void;
  }) {
    this.#store = options.store;
    this.#transfers = options.transfers;
    this.#onChange = options.onChange;
    this.#reload = options.reload;
  }

  /** Saves the text of a file. Never rejects: the file then stays changed, and its banner says why. */
  save(file: OpenFile): Promise<void> {
    const saving = this.#saving.get(file);
    if (saving) {
      saving.again = true;
      return saving.done;
    }
    const begun: Saving = { done: Promise.resolve(), again: false };
    this.#saving.set(file, begun);
    begun.done = this.#loop(file, begun);
    return begun.done;
  }

  async #loop(file: OpenFile, saving: Saving): Promise<void> {
    file.isSaving = true;
    this.#onChange(file);
    try {
      do {
        saving.again = false;
        file.banner = undefined;
        if (file.isChanged) await this.#save(file);
      } while (saving.again);
    } catch (error) {
      file.banner = {
        kind: "warning",
        text: `Not saved: ${sentence(explain(error))} Your text is kept here.`,
        actions: [{ label: "Try again", run: () => void this.save(file) }],
      };
    } finally {
      this.#saving.delete(file);
      file.isSaving = false;
      this.#onChange(file);
    }
  }

  async #save(file: OpenFile): Promise<void> {
    const { state } = file;
    const bytes = file.bytesOf(state);
    const choice = await this.#check(file, bytes);
    if (choice === "reload") this.#reload(file);
    if (choice !== "write") return;
    file.attempted = bytes;
    file.version = await this.#transfers.run(`Saving ${file.name}`, (transfer) =>
      this.#store.replace(file.path, bytes, file.draft, transfer),
    );
    file.attempted = undefined;
    file.banner = undefined;
    file.saved = state;
  }

  /** Compares with the server, and asks before a change of another writer is lost. */
  async #check(file: OpenFile, bytes: Uint8Array): Promise<"write" | "reload" | "cancel" | undefined> {
    const own = [file.bytesOf(file.saved), file.attempted, bytes].filter((known) => known !== undefined);
    const found = await this.#store.compare(file.path, file.version, () => own, { thorough: true });
    if (found === "same" || (found === "missing" && !file.version)) return "write";
    if (found === "missing") {
      file.markMissing();
      return await ask({
        title: `${file.name} was deleted on the server`,
        text: "Your text is only here now. Saving makes the file again.",
        actions: [
          { label: "Cancel", value: "cancel" },
          { label: "Save it again", value: "write", kind: "primary" },
        ],
      });
    }
    file.markChanged(() => this.#reload(file));
    return await ask({
      title: `${file.name} was changed on the server`,
      text: "It is no longer what you opened. Overwriting loses the other changes, reloading loses yours.",
      actions: [
        { label: "Cancel", value: "cancel", kind: "primary" },
        { label: "Reload", value: "reload" },
        { label: "Overwrite", value: "write", kind: "danger" },
      ],
    });
  }
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
