import { cpSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import type { TestInfo } from "@playwright/test";
import { runCommand } from "./command.ts";
import { DIRECTORY_VARIABLE } from "./pack.ts";

const CONSUMERS = join(import.meta.dirname, "../consumers");
const EXAMPLES = join(import.meta.dirname, "../../examples");
const INSTALL_TIMEOUT_MS = 240_000;
/** What a user would not copy. */
const GENERATED = ["node_modules", "dist"];

/** A user's project with the packed package installed. */
export class Consumer {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** Copies a folder of `e2e/consumers` and a folder of shared sources, then installs the packages. Call it in `beforeAll`. */
  static async install(
    name: string,
    sources: "foreign" | "programs" | "types",
    info: TestInfo,
  ): Promise<Consumer> {
    info.setTimeout(INSTALL_TIMEOUT_MS + 10_000);
    return Consumer.#install(name, [join(CONSUMERS, sources), join(CONSUMERS, name)]);
  }

  /** Copies an example, then installs its packages. */
  static copyExample(name: string): Promise<Consumer> {
    return Consumer.#install(`examples/${name}`, [join(EXAMPLES, name)]);
  }

  static async #install(name: string, folders: readonly string[]): Promise<Consumer> {
    const root = process.env[DIRECTORY_VARIABLE] ?? "";
    const tarball = readdirSync(root).find((file) => file.endsWith(".tgz"));
    const consumer = new Consumer(join(root, name));
    rmSync(consumer.directory, { recursive: true, force: true });
    const filter = (path: string): boolean => !GENERATED.includes(basename(path));
    for (const folder of folders) cpSync(folder, consumer.directory, { recursive: true, filter });
    const started = performance.now();
    const flags = ["--ignore-scripts", "--no-package-lock", "--prefer-offline", "--loglevel", "error"];
    const command = ["npm", "install", ...flags, join(root, String(tarball))];
    await consumer.run(command, INSTALL_TIMEOUT_MS);
    const seconds = Math.round((performance.now() - started) / 1000);
    process.stdout.write(`      ${name}: installed in ${seconds} s\n`);
    return consumer;
  }

  /** The path of a file of an installed package. */
  file(path: string): string {
    return join(this.directory, "node_modules", path);
  }

  /** The installed version of a package. */
  versionOf(name: string): string {
    return JSON.parse(readFileSync(this.file(`${name}/package.json`), "utf8")).version;
  }

  run(command: readonly string[], timeoutMs = 30_000): Promise<{ stdout: string; stderr: string }> {
    return runCommand(command, { cwd: this.directory, timeoutMs });
  }
}
