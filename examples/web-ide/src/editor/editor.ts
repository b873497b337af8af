import type { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { type ExecEnvironment, remotePath } from "exec-server-sdk";
import { ask } from "../page/dialog.ts";
import { byId, showView } from "../page/dom.ts";
import { attempt } from "../page/notice.ts";
import { DiskWatch } from "./disk-watch.ts";
import { FileStore } from "./file-store.ts";
import { OpenFile } from "./open-file.ts";
import { Reader } from "./reader.ts";
import { Saver } from "./saver.ts";
import { showBanner, showStatus } from "./status-bar.ts";
import { Tabs } from "./tabs.ts";
import { Transfers } from "./transfers.ts";

interface OpenOptions {
  /** Whether the text gets the focus. */
  readonly focus?: boolean;
  /** Whether phones switch to the editor. @default true */
  readonly show?: boolean;
}

/** The open files as tabs, and the editor of the selected one. */
export class Editor {
  readonly #reader: Reader;
  readonly #saver: Saver;
  readonly #watch: DiskWatch;
  readonly #tabs: Tabs;
  readonly #onSelect: (path: string | undefined) => void;
  readonly #files: OpenFile[] = [];
  readonly #opening = new Map<string, Promise<OpenFile | undefined>>();
  readonly #save = byId<HTMLButtonElement>("save");
  readonly #view = new EditorView({
    parent: byId("editor"),
    dispatchTransactions: (transactions, view) => {
      view.update(transactions);
      this.#keep(view.state);
    },
  });
  #current: OpenFile | undefined;
  /** The path that was last asked for: a slow file does not come before it. */
  #wanted: string | undefined;

  constructor(options: {
    environment: Pick<ExecEnvironment, "fs" | "run">;
    /** Whether a look at a file needs no new connection. */
    isConnected: () => boolean;
    onSelect: (path: string | undefined) => void;
  }) {
    const store = new FileStore(options.environment);
    const transfers = new Transfers();
    const onChange = (file: OpenFile): void => this.#changed(file);
    const reload = (file: OpenFile): void => attempt(`Could not read ${file.name}`, () => this.#reload(file));
    this.#onSelect = options.onSelect;
    this.#reader = new Reader(store, transfers);
    this.#saver = new Saver({ store, transfers, onChange, reload });
    this.#watch = new DiskWatch({ store, isConnected: options.isConnected, onChange, reload });
    this.#tabs = new Tabs({
      onSelect: (file) => this.#select(file),
      onClose: (file) => attempt(`Could not close ${file.name}`, () => this.#close(file)),
    });
    this.#save.addEventListener("click", () => this.save());
    addEventListener("beforeunload", (event) => {
      if (this.#files.some(({ isChanged }) => isChanged)) event.preventDefault();
    });
    addEventListener("focus", () => this.#current && void this.#watch.look(this.#current));
    this.#select(undefined);
  }

  /** Shows a file. Reads it if it is not open yet. */
  open(path: string, { focus = false, show = true }: OpenOptions = {}): void {
    if (show) showView("editor");
    this.#wanted = path;
    attempt(`Could not open ${remotePath.basename(path)}`, async () => {
      const file = this.#files.find((file) => file.path === path) ?? (await this.#read(path));
      // Another file was asked for meanwhile: this one is only a tab.
      if (!file || this.#wanted !== path) return this.#showFiles();
      this.#select(file);
      if (focus) this.#view.focus();
    });
  }

  /** Saves the selected file. Changes made during the save stay unsaved. */
  save(): void {
    if (this.#current?.isChanged) void this.#saver.save(this.#current);
  }

  /** Closes the selected file, after a question if it has changes. */
  close(): void {
    const file = this.#current;
    if (file) attempt(`Could not close ${file.name}`, () => this.#close(file));
  }

  /** The open files at a path, and below it, have moved with it. */
  moved(from: string, to: string): void {
    for (const file of this.#files) {
      const below = pathBelow(from, file.path);
      if (below !== undefined) file.path = to + below;
    }
    this.#showFiles();
    this.#onSelect(this.#current?.path);
  }

  /** The files at a path, and below it, were deleted. Those with changes stay open. */
  deleted(path: string): void {
    for (const file of [...this.#files]) {
      if (pathBelow(path, file.path) === undefined) continue;
      if (file.isChanged) file.markMissing();
      else this.#remove(file);
    }
    this.#showFiles();
  }

  /** Two requests for a file that is being read share one read. */
  async #read(path: string): Promise<OpenFile | undefined> {
    const read = async (): Promise<OpenFile | undefined> => {
      const found = await this.#reader.read(path);
      const file = found && new OpenFile(path, found);
      if (file) this.#files.push(file);
      return file;
    };
    const opening = this.#opening.get(path) ?? read().finally(() => this.#opening.delete(path));
    this.#opening.set(path, opening);
    return await opening;
  }

  async #reload(file: OpenFile): Promise<void> {
    const { doc } = file.state;
    const found = await this.#reader.read(file.path);
    // What was typed during the read stays, and is offered again.
    if (!found || file.state.doc !== doc) return;
    file.reload(found);
    if (file === this.#current) {
      const scroll = this.#view.scrollSnapshot();
      this.#view.setState(file.state);
      this.#view.dispatch({ effects: scroll });
    }
    this.#changed(file);
  }

  async #close(file: OpenFile): Promise<void> {
    if (file.isChanged) {
      const choice = await ask({
        title: `Save the changes to ${file.name}?`,
        text: "Without a save they are lost.",
        actions: [
          { label: "Cancel", value: "cancel" },
          { label: "Discard", value: "discard", kind: "danger" },
          { label: "Save", value: "save", kind: "primary" },
        ],
      });
      if (choice === "save") await this.#saver.save(file);
      if (choice !== "discard" && (choice !== "save" || file.isChanged)) return;
    }
    this.#remove(file);
    this.#showFiles();
  }

  #remove(file: OpenFile): void {
    const at = this.#files.indexOf(file);
    if (at < 0) return;
    this.#files.splice(at, 1);
    if (file === this.#current) this.#select(this.#files[Math.min(at, this.#files.length - 1)]);
  }

  #select(file: OpenFile | undefined): void {
    if (file === this.#current && file) return;
    if (this.#current) this.#current.scroll = this.#view.scrollSnapshot();
    this.#current = file;
    this.#wanted = file?.path;
    byId("editor").hidden = !file;
    byId("no-file").hidden = Boolean(file);
    if (file) {
      this.#view.setState(file.state);
      if (file.scroll) this.#view.dispatch({ effects: file.scroll });
      void this.#watch.look(file);
    }
    this.#onSelect(file?.path);
    this.#showFiles();
  }

  #keep(state: EditorState): void {
    const file = this.#current;
    if (!file) return;
    const wasChanged = file.isChanged;
    file.state = state;
    if (wasChanged !== file.isChanged) this.#showFiles();
    else showStatus(file);
  }

  #changed(file: OpenFile): void {
    // A file that was closed meanwhile has no tab.
    if (this.#files.includes(file)) this.#showFiles();
  }

  #showFiles(): void {
    this.#tabs.show(this.#files, this.#current);
    this.#save.disabled = !this.#current?.isChanged;
    showBanner(this.#current);
    showStatus(this.#current);
    if (this.#current) byId("editor").ariaLabel = this.#current.name;
  }
}

/** The rest of a path behind another one; undefined if it is not below it. */
function pathBelow(parent: string, path: string): string | undefined {
  const rest = path.slice(parent.length);
  return path.startsWith(parent) && /^([/\\]|$)/.test(rest) ? rest : undefined;
}
