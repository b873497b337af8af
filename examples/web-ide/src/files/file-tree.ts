import { type RemoteFileSystem, remotePath } from "exec-server-sdk";
import { byId, icon, make } from "../page/dom.ts";
import { attempt } from "../page/notice.ts";

/** The workspace as a tree. A directory is read when it is expanded. */
export class FileTree {
  readonly #fs: RemoteFileSystem;
  readonly #root: string;
  readonly #open: (path: string) => void;
  readonly #host = byId("tree");
  readonly #expanded = new Set<string>();
  #selected: string | undefined;

  constructor(options: { fs: RemoteFileSystem; root: string; onOpen: (path: string) => void }) {
    this.#fs = options.fs;
    this.#root = options.root;
    this.#open = options.onOpen;
    byId("refresh").addEventListener("click", () =>
      attempt("Could not read the files", () => this.refresh()),
    );
    byId("new-file").addEventListener("click", () => this.#showNameInput());
  }

  /** Reads all expanded directories again, then replaces the tree. */
  async refresh(): Promise<void> {
    this.#host.replaceChildren(await this.#list(this.#root));
  }

  /** Highlights the file in the editor. */
  select(path: string | undefined): void {
    this.#selected = path;
    for (const row of this.#host.querySelectorAll<HTMLElement>("[data-path]")) {
      row.toggleAttribute("data-selected", row.dataset["path"] === path);
    }
  }

  async #list(directory: string): Promise<HTMLUListElement> {
    const entries = await this.#fs.readdir(directory, { withFileTypes: true });
    entries.sort((a, b) => Number(b.isDirectory()) - Number(a.isDirectory()) || a.name.localeCompare(b.name));
    const rows = entries.map((entry) => {
      const path = remotePath.join(directory, entry.name);
      return entry.isDirectory() ? this.#directory(entry.name, path) : this.#file(entry.name, path);
    });
    return make("ul", {}, ...(await Promise.all(rows)));
  }

  #file(name: string, path: string): HTMLLIElement {
    const row = make("button", { type: "button", className: "row" }, icon("file"), make("span", {}, name));
    row.dataset["path"] = path;
    row.toggleAttribute("data-selected", path === this.#selected);
    row.addEventListener("click", () => this.#open(path));
    return make("li", {}, row);
  }

  async #directory(name: string, path: string): Promise<HTMLLIElement> {
    const row = make(
      "button",
      { type: "button", className: "row" },
      icon("chevron"),
      icon("folder"),
      make("span", {}, name),
    );
    const item = make("li", {}, row);
    const expand = async (): Promise<void> => {
      item.append(await this.#list(path));
      row.ariaExpanded = "true";
      this.#expanded.add(path);
    };
    const collapse = (): void => {
      row.nextElementSibling?.remove();
      row.ariaExpanded = "false";
      this.#expanded.delete(path);
    };
    row.ariaExpanded = "false";
    row.addEventListener("click", () => {
      if (row.ariaExpanded === "true") collapse();
      else attempt(`Could not read ${name}`, expand);
    });
    if (this.#expanded.has(path)) await expand();
    return item;
  }

  #showNameInput(): void {
    const input = make("input", { className: "new-name", placeholder: "name.txt", spellcheck: false });
    input.ariaLabel = "Name of the new file";
    input.addEventListener("blur", () => input.remove());
    input.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") input.remove();
      const name = input.value.trim();
      if (key === "Enter" && name) attempt("Could not make the file", () => this.#create(name));
    });
    this.#host.prepend(input);
    input.focus();
  }

  async #create(name: string): Promise<void> {
    const path = remotePath.join(this.#root, name);
    if (!(await this.#fs.exists(path))) await this.#fs.writeFile(path, "");
    await this.refresh();
    this.#open(path);
  }
}
