import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildApp } from "../../examples/electron/build.ts";
import type { Actions } from "../../test/fixtures/renderer.ts";
import { codexBinary, makeCodexHome } from "../../test/support/exec-server.ts";
import { rendererProgram } from "../../test/support/renderer.ts";
import { INSTALLED } from "../support/packed.ts";

const ROOT = join(import.meta.dirname, "../..");

interface Orders {
  killServer(): void;
  /** Whether the main process takes a port that comes from there. */
  handOverFrom(url: string): boolean;
  quit(): void;
}

type Order = Actions & Orders;
type Args<K extends keyof Order> = Parameters<Order[K]>;
type Result<K extends keyof Order> = Awaited<ReturnType<Order[K]>>;

interface Answer {
  readonly id: number;
  readonly result: unknown;
  readonly error?: unknown;
}

/** What the main process told its window. */
export interface Loaded {
  readonly url: string;
  readonly webPreferences: Readonly<Record<string, unknown>>;
}

/** The built example, laid out as on a user's disk but for the stub in Electron's place. */
export class InstalledApp implements Disposable {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async install(): Promise<InstalledApp> {
    mkdirSync(join(ROOT, ".tmp"), { recursive: true });
    const directory = mkdtempSync(join(ROOT, ".tmp/electron-app-"));
    await buildApp(join(directory, "dist"));
    // A scope of its own: without this, the SDK would be found by its own name.
    writeFileSync(join(directory, "package.json"), "{}");
    mkdirSync(join(directory, "node_modules/electron"), { recursive: true });
    copyFileSync(join(import.meta.dirname, "stub.cjs"), join(directory, "node_modules/electron/index.js"));
    symlinkSync(INSTALLED, join(directory, "node_modules/exec-server-sdk"));
    writeFileSync(join(directory, "page.cjs"), rendererProgram());
    return new InstalledApp(directory);
  }

  file(name: string): string {
    return join(this.directory, "dist", name);
  }

  async start(main: string): Promise<RunningApp> {
    return await RunningApp.start(this, main);
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true });
  }
}

/** The example's main process, with a thread for its page. */
export class RunningApp implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, (answer: Answer) => void>();
  #calls = 0;
  readonly exited: Promise<number | null>;

  private constructor(app: InstalledApp, main: string) {
    this.#child = fork(app.file(main), {
      execArgv: [],
      env: {
        ...process.env,
        NODE_OPTIONS: "",
        EXEC_SERVER: codexBinary(),
        CODEX_HOME: makeCodexHome(),
        PAGE_PROGRAM: join(app.directory, "page.cjs"),
      },
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    this.#child.on("message", (answer: Answer) => {
      this.#pending.get(answer.id)?.(answer);
      this.#pending.delete(answer.id);
    });
    this.exited = once(this.#child, "exit").then(([code]) => code);
  }

  static async start(app: InstalledApp, main: string): Promise<RunningApp> {
    const running = new RunningApp(app, main);
    running.loaded = (await running.#answer(0)) as Loaded;
    return running;
  }

  loaded!: Loaded;

  /** Has the page, or the stub, do something. */
  async do<K extends keyof Order>(name: K, ...args: Args<K>): Promise<Result<K>> {
    const id = ++this.#calls;
    const answer = this.#answer(id);
    this.#child.send({ id, name, args });
    return (await answer) as Result<K>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.exited;
  }

  #answer(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#pending.set(id, ({ result, error }) => (error === undefined ? resolve(result) : reject(error)));
    });
  }
}
