import type { ChildProcess } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";

/** Records every child process that this process spawns, as soon as it is spawned. */
export class Children implements Disposable {
  readonly started: ChildProcess[] = [];
  readonly #exits: Promise<unknown>[] = [];
  readonly #onChild = (message: unknown): void => {
    const { process: child } = message as { process: ChildProcess };
    this.started.push(child);
    this.#exits.push(
      new Promise((resolve) => {
        child.once("exit", resolve);
        child.once("error", resolve);
      }),
    );
    this.onStart?.();
  };
  /** Called before `spawn` returns. */
  onStart: (() => void) | undefined;

  constructor() {
    subscribe("child_process", this.#onChild);
  }

  get latest(): ChildProcess {
    const child = this.started.at(-1);
    if (!child) throw new Error("expected a child process, but none was started");
    return child;
  }

  /** Resolves when all started processes have ended. */
  async gone(): Promise<void> {
    await Promise.all(this.#exits);
  }

  [Symbol.dispose](): void {
    unsubscribe("child_process", this.#onChild);
    for (const child of this.started) {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
        child.kill("SIGKILL");
    }
  }
}
