import { remotePath } from "exec-server-sdk";
import { ask } from "../page/dialog.ts";
import type { FileStore } from "./file-store.ts";
import { languageOf } from "./languages.ts";
import type { Contents } from "./open-file.ts";
import { decode, type Shown } from "./text-format.ts";
import type { Transfer, Transfers } from "./transfers.ts";
import { formatBytes } from "./units.ts";

/** Up to this size, a file is read without a question. */
const MAX_UNASKED = 5 * 1024 * 1024;
const PART = 1024 * 1024;

/** Reads files for the editor. */
export class Reader {
  readonly #store: FileStore;
  readonly #transfers: Transfers;

  constructor(store: FileStore, transfers: Transfers) {
    this.#store = store;
    this.#transfers = transfers;
  }

  /** Reads a file, or after a question the first part of a large one. Undefined if that was cancelled. */
  async read(path: string): Promise<Contents | undefined> {
    return await this.#transfers.run(`Reading ${remotePath.basename(path)}`, async (transfer) => {
      const version = await this.#store.version(path);
      if (!version) throw new Error("there is no such file any more");
      const shown = await this.#readAs(path, version.size, transfer);
      if (!shown) return undefined;
      const language =
        shown.encoding === "Binary"
          ? []
          : await languageOf(path)
              .load()
              // The text does not depend on its colours.
              .catch(() => []);
      return { shown, version, language };
    });
  }

  async #readAs(path: string, size: number, transfer: Transfer): Promise<Shown | undefined> {
    const extent = size > MAX_UNASKED ? await askForExtent(remotePath.basename(path), size) : "all";
    if (!extent) return undefined;
    if (extent === "all") return decode(await this.#store.read(path, transfer));
    const start = decode(await this.#store.readStart(path, PART, transfer), true);
    const note = `This file has ${formatBytes(size)}. Only its first ${formatBytes(PART)} is shown, and saving is off.`;
    return { ...start, note };
  }
}

function askForExtent(name: string, size: number): Promise<"part" | "all" | undefined> {
  return ask<"part" | "all">({
    title: `${name} has ${formatBytes(size)}`,
    text: "That is a lot for an editor in a page. Its first part opens quickly, but can't be changed.",
    actions: [
      { label: `Open all ${formatBytes(size)}`, value: "all" },
      { label: `Show the first ${formatBytes(PART)}`, value: "part", kind: "primary" },
    ],
  });
}
