import { byId, icon, make } from "../page/dom.ts";
import type { TreeNode, TreeRow } from "./tree-node.ts";

/** Levels that are indented. Deeper ones would leave no room for names. */
const MAX_INDENT = 16;

/** The rows of the tree in the page. A row keeps its element, and so the focus, as long as it is shown. */
export class TreeRows {
  readonly host = byId("tree");
  readonly #elements = new Map<string, HTMLElement>();
  readonly #rows = new Map<HTMLElement, TreeRow>();
  /** The key of the row that the Tab key reaches. */
  #stop: string | undefined;

  /** Shows these rows. `selected` is the path of the file in the editor, `current` the key of the row with the tab stop. */
  show(rows: Iterable<TreeRow>, selected: string | undefined, current: string | undefined): void {
    const keys = new Map<string, TreeRow>();
    for (const row of rows) keys.set(keyOf(row), row);
    for (const [key, element] of this.#elements) {
      if (keys.has(key)) continue;
      element.remove();
      this.#rows.delete(element);
      this.#elements.delete(key);
    }
    const stop = current !== undefined && keys.has(current) ? current : keys.keys().next().value;
    this.#stop = stop;
    let next = this.host.firstElementChild;
    const skipOthers = (): void => {
      // The input for a name is none of the rows.
      while (next && !this.#rows.has(next as HTMLElement)) next = next.nextElementSibling;
    };
    for (const [key, row] of keys) {
      const element = this.#elements.get(key) ?? make("div", { className: "row" });
      this.#elements.set(key, element);
      update(element, row, row.kind === "node" && row.node.path === selected);
      element.tabIndex = key === stop ? 0 : -1;
      skipOthers();
      if (element === next) next = element.nextElementSibling;
      else this.host.insertBefore(element, next);
      this.#rows.set(element, row);
    }
  }

  /** Moves the tab stop. */
  setStop(key: string): void {
    const before = this.#stop === undefined ? undefined : this.#elements.get(this.#stop);
    if (before) before.tabIndex = -1;
    const element = this.#elements.get(key);
    if (element) element.tabIndex = 0;
    this.#stop = key;
  }

  rowAt(target: EventTarget | null): TreeRow | undefined {
    const element = target instanceof Element ? target.closest<HTMLElement>(".row") : null;
    return element ? this.#rows.get(element) : undefined;
  }

  elementOf(key: string): HTMLElement | undefined {
    return this.#elements.get(key);
  }

  /** Scrolls to a row, and in a deep tree to the side, until its name is in sight. */
  reveal(key: string): void {
    const name = this.#elements.get(key)?.querySelector(".row-name");
    name?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** All rows, from top to bottom. */
  get all(): TreeRow[] {
    return [...this.host.children].flatMap((element) => this.#rows.get(element as HTMLElement) ?? []);
  }
}

export const keyOf = ({ kind, node }: TreeRow): string => `${kind}:${node.path}`;

function update(element: HTMLElement, row: TreeRow, isSelected: boolean): void {
  const { kind, node } = row;
  const level = kind === "node" ? node.level : node.level + 1;
  element.role = "treeitem";
  element.ariaLevel = String(level);
  element.dataset["kind"] = kind;
  element.style.setProperty("--indent", String(Math.min(level, MAX_INDENT) - 1));
  if (kind !== "node") {
    const left = (node.children?.length ?? 0) - node.shown;
    const text = kind === "more" ? `Show more (${left.toLocaleString("en")} left)` : `${node.error}`;
    if (element.textContent === text) return;
    element.replaceChildren(
      ...(kind === "error" ? [icon("refresh")] : []),
      make("span", { className: "row-name" }, text),
    );
    return;
  }
  if (element.childElementCount === 0) fill(element, node);
  element.dataset["path"] = node.path;
  element.ariaSelected = String(isSelected);
  if (!node.isDirectory) return;
  element.ariaExpanded = String(node.isExpanded);
  element.ariaBusy = String(node.isReading);
}

function fill(element: HTMLElement, node: TreeNode): void {
  const icons = node.isDirectory ? [icon("chevron"), icon("folder")] : [icon("file")];
  element.append(...icons, make("span", { className: "row-name" }, node.name));
  if (node.isLink) element.append(make("span", { className: "row-link", title: "A link" }, "↗"));
  element.title = node.path;
}
