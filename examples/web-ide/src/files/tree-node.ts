import { type RemoteDirent, type RemoteFileSystem, remotePath } from "exec-server-sdk";

/** Entries of a directory that are shown at first, and with each further step. */
export const BATCH = 500;

/** A file or directory of the tree. */
export class TreeNode {
  readonly name: string;
  readonly path: string;
  readonly isDirectory: boolean;
  readonly isLink: boolean;
  readonly parent: TreeNode | undefined;
  readonly level: number;
  /** Undefined until the directory was read. */
  children: readonly TreeNode[] | undefined;
  isExpanded = false;
  isReading = false;
  error: string | undefined;
  /** How many of the children are shown. */
  shown = BATCH;

  constructor(options: {
    path: string;
    isDirectory: boolean;
    isLink?: boolean;
    parent?: TreeNode | undefined;
  }) {
    this.path = options.path;
    this.name = remotePath.basename(options.path);
    this.isDirectory = options.isDirectory;
    this.isLink = options.isLink ?? false;
    this.parent = options.parent;
    this.level = options.parent ? options.parent.level + 1 : 0;
  }

  /** Reads a directory, and again all expanded ones in it. */
  async read(fs: RemoteFileSystem): Promise<void> {
    const entries = await fs.readdir(this.path, { withFileTypes: true });
    const before = new Map(this.children?.map((child) => [child.path, child]));
    const children = await Promise.all(entries.map((entry) => this.#child(fs, entry, before)));
    children.sort(compare);
    this.children = children;
    this.error = undefined;
    await Promise.all(children.filter(({ isExpanded }) => isExpanded).map((child) => child.#readAgain(fs)));
  }

  /** The rows below this node, from top to bottom. */
  *rows(): Generator<TreeRow> {
    if (this.error !== undefined) yield { kind: "error", node: this };
    const children = this.children ?? [];
    for (const child of children.slice(0, this.shown)) {
      yield { kind: "node", node: child };
      if (child.isExpanded) yield* child.rows();
    }
    if (children.length > this.shown) yield { kind: "more", node: this };
  }

  async #readAgain(fs: RemoteFileSystem): Promise<void> {
    try {
      await this.read(fs);
    } catch {
      // It is read again when it is expanded, and then shows its error.
      this.isExpanded = false;
    }
  }

  async #child(fs: RemoteFileSystem, entry: RemoteDirent, before: Map<string, TreeNode>): Promise<TreeNode> {
    const path = remotePath.join(this.path, entry.name);
    const isLink = entry.isSymbolicLink();
    const isDirectory = isLink ? await leadsToDirectory(fs, path) : entry.isDirectory();
    const known = before.get(path);
    if (known?.isDirectory === isDirectory && known.isLink === isLink) return known;
    return new TreeNode({ path, isDirectory, isLink, parent: this });
  }
}

/** One row: an entry, the error of a directory, or what shows more of a directory. */
export interface TreeRow {
  readonly kind: "node" | "error" | "more";
  readonly node: TreeNode;
}

async function leadsToDirectory(fs: RemoteFileSystem, link: string): Promise<boolean> {
  try {
    return (await fs.stat(link)).isDirectory();
  } catch {
    return false;
  }
}

const names = new Intl.Collator(undefined, { numeric: true });

function compare(a: TreeNode, b: TreeNode): number {
  return Number(b.isDirectory) - Number(a.isDirectory) || names.compare(a.name, b.name);
}
