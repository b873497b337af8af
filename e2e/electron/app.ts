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

interface MainCommands {
  killServer(): void;
  /** Sends a port from a page of this URL. Returns whether the main process listens to the port. */
  offerPortFrom(url: string): boolean;
  quit(): void;
}

type Commands = Actions & MainCommands;
type Args<K extends keyof Commands> = Parameters<Commands[K]>;
type Result<K extends keyof Commands> = Awaited<ReturnType<Commands[K]>>;

interface Answer {
  readonly id: number;
  readonly result: unknown;
  readonly error?: unknown;
}

/** The page and preferences with which the main process opened its window. */
export interface Loaded {
  readonly url: string;
  readonly webPreferences: Readonly<Record<string, unknown>>;
}

/** The built example in the layout of an installed app, with the stub in place of Electron. */
export class InstalledApp implements Disposable {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async install(): Promise<InstalledApp> {
    mkdirSync(join(ROOT, ".tmp"), { recursive: true });
    const directory = mkdtempSync(join(ROOT, ".tmp/electron-app-"));
    await buildApp(join(directory, "dist"));
    // A package scope: without it, `exec-server-sdk` would resolve to this repository.
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

  async start(main: string, env: Readonly<Record<string, string>> = {}): Promise<RunningApp> {
    return await RunningApp.start(this, main, env);
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true });
  }
}

/** The main process of the example, with a thread as its page. */
export class RunningApp implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, (answer: Answer) => void>();
  #calls = 0;
  readonly exited: Promise<number | null>;

  private constructor(app: InstalledApp, main: string, env: Readonly<Record<string, string>>) {
    this.#child = fork(app.file(main), {
      execArgv: [],
      env: {
        ...process.env,
        NODE_OPTIONS: "",
        EXEC_SERVER: codexBinary(),
        CODEX_HOME: makeCodexHome(),
        PAGE_PROGRAM: join(app.directory, "page.cjs"),
        ...env,
      },
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    this.#child.on("message", (answer: Answer) => {
      this.#pending.get(answer.id)?.(answer);
      this.#pending.delete(answer.id);
    });
    this.exited = once(this.#child, "exit").then(([code]) => code);
  }

  static async start(
    app: InstalledApp,
    main: string,
    env: Readonly<Record<string, string>>,
  ): Promise<RunningApp> {
    const running = new RunningApp(app, main, env);
    running.loaded = (await running.#answer(0)) as Loaded;
    return running;
  }

  loaded!: Loaded;

  /** Runs a command in the page or in the stub. */
  async do<K extends keyof Commands>(name: K, ...args: Args<K>): Promise<Result<K>> {
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
