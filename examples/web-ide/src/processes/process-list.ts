import { byId, make } from "../page/dom.ts";
import { attempt } from "../page/notice.ts";
import { ProcessRow } from "./process-row.ts";
import type { TrackedProcess } from "./tracked-process.ts";
import type { ProcessTracker } from "./tracker.ts";

const SAMPLE_MS = 1_000;
const DRAW_MS = 100;
const TAIL_LENGTH = 16_384;
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one.
const ESCAPES = /\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b./g;

/** The pane of the processes: a field to run a command, a row for each process, and the output of the selected one. */
export class ProcessList {
  readonly #tracker: ProcessTracker;
  readonly #cwd: string;
  readonly #rows = new Map<TrackedProcess, ProcessRow>();
  readonly #output = byId("process-output");
  #selected: TrackedProcess | undefined;
  #drawing: ReturnType<typeof setTimeout> | undefined;
  #sampling: ReturnType<typeof setInterval> | undefined;

  constructor(options: { tracker: ProcessTracker; cwd: string }) {
    this.#tracker = options.tracker;
    this.#cwd = options.cwd;
    // It scrolls.
    this.#output.tabIndex = 0;
    const input = byId<HTMLInputElement>("run-command");
    byId<HTMLFormElement>("run").addEventListener("submit", (event) => {
      event.preventDefault();
      const command = input.value.trim();
      if (command) attempt(`Could not run ${command}`, () => this.#run(command));
    });
    byId("clear-processes").addEventListener("click", () => this.#tracker.clear());
    this.#tracker.onChange(() => this.#show());
    this.#show();
  }

  /** Its output is read as it comes, so that its speed is that of the connection; the end of it is kept. */
  async #run(command: string): Promise<void> {
    const tracked = await this.#tracker.start(command, ["sh", "-c", command], {
      cwd: this.#cwd,
      overflow: "pause",
    });
    tracked.tail = "";
    this.#select(tracked);
    const decoder = new TextDecoder();
    try {
      for await (const chunk of tracked.chunks()) {
        tracked.tail = (tracked.tail + decoder.decode(chunk, { stream: true })).slice(-TAIL_LENGTH);
        if (tracked === this.#selected) this.#showOutputSoon();
      }
    } catch {
      // The row says how the process ended.
    }
  }

  #show(): void {
    const { processes } = this.#tracker;
    // Rows that stay are left in place, with the focus that one can have.
    for (const [tracked, { element }] of this.#rows) {
      if (processes.includes(tracked)) continue;
      element.remove();
      this.#rows.delete(tracked);
    }
    for (const tracked of processes) {
      if (this.#rows.has(tracked)) continue;
      const row = new ProcessRow(tracked, () => this.#select(tracked));
      this.#rows.set(tracked, row);
      byId("process-list").prepend(row.element);
    }
    for (const row of this.#rows.values()) row.update();
    byId("no-process").hidden = processes.length > 0;
    const running = processes.filter(({ state }) => state === "running").length;
    byId("process-count").textContent = running > 0 ? String(running) : "";
    byId("clear-processes").hidden = running === processes.length;
    if (this.#selected && !processes.includes(this.#selected)) this.#select(undefined);
    else this.#showOutput();
    this.#setSampling(running > 0);
  }

  /** Nothing is sampled while nothing runs. */
  #setSampling(isRunning: boolean): void {
    if (isRunning) this.#sampling ??= setInterval(() => this.#sample(), SAMPLE_MS);
    else {
      clearInterval(this.#sampling);
      this.#sampling = undefined;
    }
  }

  #sample(): void {
    for (const [tracked, row] of this.#rows) {
      if (tracked.state !== "running") continue;
      tracked.throughput.sample();
      row.update();
    }
  }

  /** Shows the output of a process that was run here. Terminals show their own. */
  #select(tracked: TrackedProcess | undefined): void {
    this.#selected = tracked?.tail === undefined ? undefined : tracked;
    for (const [each, row] of this.#rows) row.select(each === this.#selected);
    this.#output.hidden = !this.#selected;
    this.#showOutput();
  }

  /** Bulk output comes faster than it can be drawn. */
  #showOutputSoon(): void {
    this.#drawing ??= setTimeout(() => {
      this.#drawing = undefined;
      this.#showOutput();
    }, DRAW_MS);
  }

  #showOutput(): void {
    const text = this.#selected?.tail?.replace(ESCAPES, "") ?? "";
    const nothing = this.#selected?.state === "running" ? "no output yet" : "no output";
    this.#output.replaceChildren(text || make("span", { className: "subtle", textContent: nothing }));
    this.#output.scrollTop = this.#output.scrollHeight;
  }
}
