import { type RemoteFileSystem, remotePath } from "exec-server-sdk";
import { ask } from "../page/dialog.ts";
import { byId } from "../page/dom.ts";
import { attempt, explain } from "../page/notice.ts";
import { inputName } from "./name-input.ts";
import { TreeKeys } from "./tree-keys.ts";
import { BATCH, TreeNode, type TreeRow } from "./tree-node.ts";
import { keyOf, TreeRows } from "./tree-rows.ts";

interface Options {
  readonly fs: RemoteFileSystem;
  readonly root: string;
  /** A file was chosen. `focus`: by a key, so that the editor takes the focus. */
  readonly onOpen: (path: string, options: { focus: boolean }) => void;
  readonly onMoved: (from: string, to: string) => void;
  readonly onDeleted: (path: string) => void;
}

/** The workspace as a tree. A directory is read when it is expanded. */
export class FileTree {
  readonly #options: Options;
  readonly #root: TreeNode;
  readonly #rows = new TreeRows();
  /** The file in the editor. */
  #selected: string | undefined;
  /** The key of the row with the tab stop, to which the buttons apply. */
  #current: string | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#root = new TreeNode({ path: options.root, isDirectory: true });
    const { host } = this.#rows;
    const keys = new TreeKeys({
      rows: () => this.#rows.all,
      focus: (row) => this.#focus(row),
      activate: (row) => this.#activate(row, true),
      toggle: (node) => void this.#toggle(node),
      rename: () => this.#rename(),
      remove: () => this.#delete(),
    });
    host.addEventListener("keydown", (event) => {
      const row = this.#rows.rowAt(event.target);
      if (row && keys.press(event, row)) event.preventDefault();
    });
    host.addEventListener("click", ({ target }) => {
      const row = this.#rows.rowAt(target);
      if (row) this.#activate(row, false);
    });
    host.addEventListener("focusin", ({ target }) => {
      const row = this.#rows.rowAt(target);
      if (!row) return;
      this.#current = keyOf(row);
      this.#rows.setStop(this.#current);
      this.#enableButtons();
    });
    const buttons: Record<string, () => void> = {
      refresh: () => attempt("Could not read the files", () => this.refresh()),
      "new-file": () => this.#create("file"),
      "new-folder": () => this.#create("folder"),
      "rename-entry": () => this.#rename(),
      "delete-entry": () => this.#delete(),
    };
    for (const [id, action] of Object.entries(buttons)) byId(id).addEventListener("click", action);
  }

  /** Reads all expanded directories again. */
  async refresh(): Promise<void> {
    this.#rows.host.ariaBusy = "true";
    try {
      await this.#root.read(this.#options.fs);
    } catch (error) {
      // What was read before stays. Without it, the error is shown in the place of the files.
      if (this.#root.children) throw error;
      this.#root.error = explain(error);
    } finally {
      this.#rows.host.ariaBusy = "false";
      this.#show();
    }
  }

  /** Highlights the file in the editor. */
  select(path: string | undefined): void {
    this.#selected = path;
    this.#show();
    this.#rows.reveal(`node:${path}`);
  }

  #show(): void {
    this.#rows.show(this.#root.rows(), this.#selected, this.#current);
    this.#enableButtons();
  }

  #enableButtons(): void {
    const node = this.#currentNode;
    for (const id of ["rename-entry", "delete-entry"]) byId<HTMLButtonElement>(id).disabled = !node;
  }

  get #currentNode(): TreeNode | undefined {
    return this.#rows.all.find((row) => row.kind === "node" && keyOf(row) === this.#current)?.node;
  }

  #focus(row: TreeRow): void {
    this.#rows.elementOf(keyOf(row))?.focus({ preventScroll: true });
    this.#rows.reveal(keyOf(row));
  }

  #activate({ kind, node }: TreeRow, isKey: boolean): void {
    if (kind === "more") this.#showMore(node);
    else if (kind === "error") void this.#retry(node);
    else if (node.isDirectory) void this.#toggle(node);
    else this.#options.onOpen(node.path, { focus: isKey });
  }

  #showMore(node: TreeNode): void {
    const first = node.children?.[node.shown];
    node.shown += BATCH;
    this.#show();
    if (first) this.#focus({ kind: "node", node: first });
  }

  /** Reads a directory again. The row of the error is gone then, so the first entry takes its focus. */
  async #retry(node: TreeNode): Promise<void> {
    await this.#expand(node);
    const [first] = node.rows();
    if (first && document.activeElement === document.body) this.#focus(first);
  }

  async #toggle(node: TreeNode): Promise<void> {
    if (!node.isExpanded) return await this.#expand(node);
    node.isExpanded = false;
    this.#show();
  }

  /** Reads a directory. Never rejects: an error is shown in the place of the entries. */
  async #expand(node: TreeNode): Promise<void> {
    if (node.isReading) return;
    node.isReading = true;
    this.#show();
    try {
      await node.read(this.#options.fs);
    } catch (error) {
      node.error = explain(error);
      node.children = undefined;
    }
    node.isReading = false;
    node.isExpanded = true;
    this.#show();
  }

  #create(kind: "file" | "folder"): void {
    attempt(`Could not make the ${kind}`, async () => {
      const current = this.#currentNode;
      const parent = (current?.isDirectory ? current : current?.parent) ?? this.#root;
      if (parent !== this.#root && !parent.isExpanded) await this.#expand(parent);
      const first = parent === this.#root ? this.#rows.host.firstElementChild : this.#below(parent);
      const name = await inputName(this.#rows.host, first, {
        label: `Name of the new ${kind}`,
        indent: parent.level,
      });
      if (name === undefined) return;
      const path = remotePath.join(parent.path, name);
      const { fs, onOpen } = this.#options;
      await fs.mkdir(kind === "folder" ? path : remotePath.dirname(path), { recursive: true });
      // Never empties a file that was made meanwhile.
      if (kind === "file") await fs.writeFile(path, "", { flag: "wx" });
      this.#current = `node:${path}`;
      await this.refresh();
      if (kind === "file") onOpen(path, { focus: true });
      else this.#rows.elementOf(this.#current)?.focus();
    });
  }

  #rename(): void {
    const node = this.#currentNode;
    const element = node && this.#rows.elementOf(`node:${node.path}`);
    if (!node || !element) return;
    attempt(`Could not rename ${node.name}`, async () => {
      element.hidden = true;
      const options = { label: `New name of ${node.name}`, value: node.name, indent: node.level - 1 };
      const name = await inputName(this.#rows.host, element, options);
      element.hidden = false;
      element.focus();
      if (name === undefined || name === node.name) return;
      const { fs, onMoved } = this.#options;
      const path = remotePath.join(remotePath.dirname(node.path), name);
      // A rename would replace it.
      if (await fs.exists(path)) throw new Error(`there is already ${name}`);
      await fs.rename(node.path, path);
      this.#current = `node:${path}`;
      onMoved(node.path, path);
      await this.refresh();
      this.#rows.elementOf(this.#current)?.focus();
    });
  }

  #delete(): void {
    const node = this.#currentNode;
    if (!node) return;
    attempt(`Could not delete ${node.name}`, async () => {
      const choice = await ask({
        title: `Delete ${node.name}?`,
        text:
          node.isDirectory && !node.isLink
            ? "Everything in it goes too. There is no undo."
            : "There is no undo.",
        actions: [
          { label: "Cancel", value: false, kind: "primary" },
          { label: "Delete", value: true, kind: "danger" },
        ],
      });
      if (!choice) return;
      const all = this.#rows.all;
      const at = all.findIndex((row) => row.kind === "node" && row.node === node);
      await this.#options.fs.rm(node.path, { recursive: node.isDirectory && !node.isLink });
      this.#options.onDeleted(node.path);
      const next = all[at + 1] ?? all[at - 1];
      this.#current = next && keyOf(next);
      await this.refresh();
      if (this.#current) this.#rows.elementOf(this.#current)?.focus();
    });
  }

  #below(parent: TreeNode): Element | null {
    return this.#rows.elementOf(`node:${parent.path}`)?.nextElementSibling ?? null;
  }
}
