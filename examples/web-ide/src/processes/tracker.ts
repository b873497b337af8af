import type { ExecEnvironment, ExecProcess, StartOptions } from "exec-server-sdk";
import { TrackedProcess } from "./tracked-process.ts";

const ENDED_KEPT = 20;

/** The starter of every process of the page, and the list of them. */
export class ProcessTracker {
  readonly #environment: ExecEnvironment;
  readonly #listeners = new Set<() => void>();
  #processes: TrackedProcess[] = [];

  constructor(environment: ExecEnvironment) {
    this.#environment = environment;
  }

  /** Oldest first: all that run, and the newest that have ended. */
  get processes(): readonly TrackedProcess[] {
    return this.#processes;
  }

  /** The listener is called after a start, an end and a removal. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Starts a process and lists it. Its output is read through the result. */
  async start(title: string, argv: readonly string[], options: StartOptions): Promise<TrackedProcess> {
    const process: ExecProcess = await this.#environment.start(argv, options);
    const tracked = new TrackedProcess(title, process);
    void tracked.ended.then(() => this.#changed());
    this.#processes.push(tracked);
    this.#changed();
    return tracked;
  }

  /** Removes all that have ended. */
  clear(): void {
    this.#processes = this.#processes.filter(({ state }) => state === "running");
    this.#changed();
  }

  #changed(): void {
    const ended = this.#processes.filter(({ state }) => state !== "running");
    const surplus = new Set(ended.slice(0, Math.max(0, ended.length - ENDED_KEPT)));
    this.#processes = this.#processes.filter((process) => !surplus.has(process));
    for (const listener of this.#listeners) listener();
  }
}
