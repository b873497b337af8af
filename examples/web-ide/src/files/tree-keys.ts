import type { TreeNode, TreeRow } from "./tree-node.ts";

/** Pause after which typing begins a new word, in milliseconds. */
const TYPING_MS = 700;

interface Actions {
  readonly rows: () => readonly TreeRow[];
  readonly focus: (row: TreeRow) => void;
  readonly activate: (row: TreeRow) => void;
  readonly toggle: (node: TreeNode) => void;
  readonly rename: () => void;
  readonly remove: () => void;
}

/** What the keys do in a tree, as the ARIA practices describe it. */
export class TreeKeys {
  readonly #actions: Actions;
  #typed = "";
  #typedAt = 0;

  constructor(actions: Actions) {
    this.#actions = actions;
  }

  /** Returns whether the key does something. */
  press(event: KeyboardEvent, row: TreeRow): boolean {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const { rows, focus, activate, rename, remove } = this.#actions;
    const all = rows();
    const at = all.findIndex(({ kind, node }) => kind === row.kind && node === row.node);
    const move = (to: TreeRow | undefined): true => {
      if (to) focus(to);
      return true;
    };
    switch (event.key) {
      case "ArrowDown":
        return move(all[at + 1]);
      case "ArrowUp":
        return move(all[at - 1]);
      case "Home":
        return move(all[0]);
      case "End":
        return move(all.at(-1));
      case "ArrowRight":
        return this.#right(row, all[at + 1], move);
      case "ArrowLeft":
        return this.#left(row, all, move);
      case "Enter":
      case " ":
        activate(row);
        return true;
      case "F2":
        rename();
        return true;
      case "Delete":
        remove();
        return true;
      default:
        return event.key.length === 1 && this.#type(event, all, at, move);
    }
  }

  #right({ kind, node }: TreeRow, below: TreeRow | undefined, move: (to?: TreeRow) => true): true {
    if (kind !== "node" || !node.isDirectory) return true;
    if (node.isExpanded) return below && isIn(below, node) ? move(below) : true;
    this.#actions.toggle(node);
    return true;
  }

  #left({ kind, node }: TreeRow, all: readonly TreeRow[], move: (to?: TreeRow) => true): true {
    if (kind === "node" && node.isExpanded) {
      this.#actions.toggle(node);
      return true;
    }
    const parent = kind === "node" ? node.parent : node;
    return move(all.find((row) => row.kind === "node" && row.node === parent));
  }

  #type(event: KeyboardEvent, all: readonly TreeRow[], at: number, move: (to?: TreeRow) => true): true {
    if (event.timeStamp - this.#typedAt > TYPING_MS) this.#typed = "";
    this.#typedAt = event.timeStamp;
    this.#typed += event.key.toLowerCase();
    // A first letter goes on to the next name; further letters stay while the name fits.
    const start = this.#typed.length === 1 ? at + 1 : at;
    const order = [...all.slice(start), ...all.slice(0, start)];
    return move(
      order.find(({ kind, node }) => kind === "node" && node.name.toLowerCase().startsWith(this.#typed)),
    );
  }
}

const isIn = (row: TreeRow, directory: TreeNode): boolean =>
  row.kind === "node" ? row.node.parent === directory : row.node === directory;
