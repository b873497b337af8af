import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Violation } from "../support/violation.ts";

const PATIENCE_MS = 10_000;

/** Throws a Violation unless it comes to nothing in time. */
export async function untilNone(what: string, left: () => readonly string[]): Promise<void> {
  const start = performance.now();
  while (left().length > 0) {
    if (performance.now() - start > PATIENCE_MS)
      throw new Violation(`${what}: ${left().slice(0, 5).join("; ")}`);
    await sleep(20);
  }
}

/** Files in a directory that a process holds open. */
export function filesHeld(pid: number, directory: string): string[] {
  return linksIn(`/proc/${pid}/fd`).filter((path) => path.startsWith(directory));
}

/** Processes with this variable in their environment. */
export function processesWith(name: string, value: string): string[] {
  const ids = readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));
  return ids
    .filter((id) => readOr(`/proc/${id}/environ`).split("\0").includes(`${name}=${value}`))
    .map((id) => `${id} ${readOr(`/proc/${id}/cmdline`).replaceAll("\0", " ").trim()}`);
}

/** What this process holds, beyond what it held when this was made. */
export class Residue {
  readonly #timers = countTimers();
  readonly #files = linksIn("/proc/self/fd").length;
  readonly #resources = tally(process.getActiveResourcesInfo());

  async check(): Promise<void> {
    await untilNone("timers are left", () => [...this.#timers].map(String));
    await untilNone("files or sockets are left", () => linksIn("/proc/self/fd").slice(this.#files));
    await untilNone("resources are left", () =>
      [...tally(process.getActiveResourcesInfo())]
        .filter(([name, count]) => count > (this.#resources.get(name) ?? 0))
        .map(([name, count]) => `${name}: ${count} instead of ${this.#resources.get(name) ?? 0}`),
    );
  }
}

/** Whether what is left after collection grows from sample to sample. */
export class Heap {
  readonly #samples: number[] = [];

  /** Bytes. */
  async sample(): Promise<number> {
    const collect = globalThis.gc;
    if (!collect) throw new Error("run with --expose-gc");
    // Twice, with a turn between: finalizers free more.
    for (let times = 0; times < 2; times++) {
      await sleep(10);
      collect();
    }
    const { heapUsed, external } = process.memoryUsage();
    this.#samples.push(heapUsed + external);
    return heapUsed + external;
  }

  /** Bytes from one sample to the next: the median of all slopes, which a few odd samples do not move. */
  get slope(): number {
    // Caches and compiled code fill at the beginning.
    const settled = this.#samples.slice(3);
    const slopes = settled.flatMap((late, at) =>
      settled.slice(0, at).map((early, before) => (late - early) / (at - before)),
    );
    return slopes.sort((a, b) => a - b)[Math.floor(slopes.length / 2)] ?? 0;
  }
}

/** Sees every timer of the platform's, also those that keep no process alive. Each is told by where it was set. */
function countTimers(): Iterable<string> {
  const live = new Map<unknown, string>();
  const {
    setTimeout: setOnce,
    setInterval: setEvery,
    clearTimeout: clearOnce,
    clearInterval: clearEvery,
  } = globalThis;
  const where = (): string => new Error("timer").stack?.split("\n")[3]?.trim() ?? "";
  Object.assign(globalThis, {
    setTimeout(callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) {
      const timer = setOnce(() => {
        live.delete(timer);
        callback(...args);
      }, ms);
      live.set(timer, where());
      return timer;
    },
    setInterval(callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) {
      const timer = setEvery(callback, ms, ...args);
      live.set(timer, where());
      return timer;
    },
    clearTimeout(timer: NodeJS.Timeout | undefined) {
      live.delete(timer);
      clearOnce(timer);
    },
    clearInterval(timer: NodeJS.Timeout | undefined) {
      live.delete(timer);
      clearEvery(timer);
    },
  });
  return { [Symbol.iterator]: () => live.values() };
}

function linksIn(directory: string): string[] {
  return readdirOr(directory).flatMap((name) => {
    try {
      return [readlinkSync(`${directory}/${name}`)];
    } catch {
      return [];
    }
  });
}

function readdirOr(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function readOr(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function tally(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
