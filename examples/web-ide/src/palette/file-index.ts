import { type RemoteFileSystem, remotePath } from "exec-server-sdk";

/** Directories that are left out: their files are rarely looked for, and many. */
const SKIPPED = /(^|[/\\])(node_modules|dist|target|\.[^/\\]+)[/\\]/;

/** The files of the workspace, read on the server in one request. */
export class FileIndex {
  readonly #fs: RemoteFileSystem;
  readonly #root: string;
  #reads = 0;
  /** Paths from the root on, as last read. */
  files: readonly string[] = [];
  /** Whether there are more than the server lists at once. */
  isTruncated = false;

  constructor(fs: RemoteFileSystem, root: string) {
    this.#fs = fs;
    this.#root = root;
  }

  pathOf(file: string): string {
    return remotePath.join(this.#root, file);
  }

  /** Reads the files again. A read that was overtaken by a later one changes nothing. */
  async read(): Promise<void> {
    const read = ++this.#reads;
    const { entries, truncated } = await this.#fs.walk(this.#root, { pruneHiddenDirectories: true });
    if (read !== this.#reads) return;
    this.files = entries
      .filter(({ kind }) => kind === "file")
      .map(({ path }) => remotePath.relative(this.#root, path))
      .filter((path) => !SKIPPED.test(path));
    this.isTruncated = truncated;
  }
}
