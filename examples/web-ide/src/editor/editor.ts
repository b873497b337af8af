import type { EditorState, Text } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { type RemoteFileSystem, remotePath } from "exec-server-sdk";
import { byId, icon, make, showView } from "../page/dom.ts";
import { attempt } from "../page/notice.ts";
import { makeState } from "./code-editor.ts";

interface OpenFile {
  state: EditorState;
  /** The text as last read from or written to the server. */
  saved: Text;
}

/** The open files as tabs, and the editor of the selected one. */
export class Editor {
  readonly #fs: RemoteFileSystem;
  readonly #onSelect: (path: string | undefined) => void;
  readonly #files = new Map<string, OpenFile>();
  readonly #save = byId<HTMLButtonElement>("save");
  readonly #view = new EditorView({
    parent: byId("editor"),
    dispatchTransactions: (transactions, view) => {
      view.update(transactions);
      this.#keep(view.state);
    },
  });
  #current: string | undefined;

  constructor(options: { fs: RemoteFileSystem; onSelect: (path: string | undefined) => void }) {
    this.#fs = options.fs;
    this.#onSelect = options.onSelect;
    this.#save.addEventListener("click", () => this.save());
    addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.key !== "s") return;
      event.preventDefault();
      this.save();
    });
    addEventListener("beforeunload", (event) => {
      if ([...this.#files.values()].some(isChanged)) event.preventDefault();
    });
    this.#select(undefined);
  }

  /** Shows a file. Reads it if it is not open yet. */
  open(path: string): void {
    showView("editor");
    attempt(`Could not open ${remotePath.basename(path)}`, async () => {
      if (!this.#files.has(path)) {
        const state = makeState(path, await this.#fs.readFile(path, "utf8"));
        this.#files.set(path, { state, saved: state.doc });
      }
      this.#select(path);
    });
  }

  /** Saves the selected file. Changes made during the write stay unsaved. */
  save(): void {
    const path = this.#current;
    const file = path === undefined ? undefined : this.#files.get(path);
    if (path === undefined || !file || !isChanged(file)) return;
    const { doc } = file.state;
    attempt(`Could not save ${remotePath.basename(path)}`, async () => {
      await this.#fs.writeFile(path, doc.toString());
      file.saved = doc;
      this.#showTabs();
    });
  }

  #close(path: string): void {
    const file = this.#files.get(path);
    if (file && isChanged(file) && !confirm(`Discard the changes to ${remotePath.basename(path)}?`)) return;
    this.#files.delete(path);
    this.#select(this.#current === path ? [...this.#files.keys()].at(-1) : this.#current);
  }

  #select(path: string | undefined): void {
    this.#current = path;
    const file = path === undefined ? undefined : this.#files.get(path);
    if (file) this.#view.setState(file.state);
    byId("editor").hidden = !file;
    byId("no-file").hidden = Boolean(file);
    this.#onSelect(path);
    this.#showTabs();
  }

  #keep(state: EditorState): void {
    const file = this.#current === undefined ? undefined : this.#files.get(this.#current);
    if (!file) return;
    const wasChanged = isChanged(file);
    file.state = state;
    if (wasChanged !== isChanged(file)) this.#showTabs();
  }

  #showTabs(): void {
    byId("tabs").replaceChildren(...[...this.#files].map(([path, file]) => this.#tab(path, file)));
    const current = this.#current === undefined ? undefined : this.#files.get(this.#current);
    this.#save.disabled = !current || !isChanged(current);
  }

  #tab(path: string, file: OpenFile): HTMLElement {
    const name = remotePath.basename(path);
    const label = make("button", { type: "button", className: "tab-name", textContent: name, title: path });
    label.role = "tab";
    label.ariaSelected = String(path === this.#current);
    label.addEventListener("click", () => this.#select(path));
    const close = make("button", { type: "button", className: "tab-close" }, icon("close"));
    close.ariaLabel = `Close ${name}`;
    close.addEventListener("click", () => this.#close(path));
    const tab = make("div", { className: "tab" }, label, close);
    tab.toggleAttribute("data-current", path === this.#current);
    tab.toggleAttribute("data-changed", isChanged(file));
    return tab;
  }
}

function isChanged({ state, saved }: OpenFile): boolean {
  return !state.doc.eq(saved);
}
