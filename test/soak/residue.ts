import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Violation } from "../support/violation.ts";

/** A part of the usual patience, for builds that are known to be broken. */
export const PATIENCE = Number(process.env["PATIENCE"] ?? 1);
const WARM_UP = 4;
const MIN_SAMPLES = 8;
const CLEANUP_MS = 10_000 * PATIENCE;

/** Throws a Violation unless it comes to nothing in time. */
export async function untilNone(what: string, left: () => readonly string[]): Promise<void> {
  const start = performance.now();
  while (left().length > 0) {
    if (performance.now() - start > CLEANUP_MS)
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
    .map(
      (id) =>
        `${id} (of ${
          readOr(`/proc/${id}/stat`)
            .replace(/^.*\) \S /, "")
            .split(" ")[0]
        }) ${readOr(`/proc/${id}/cmdline`).replaceAll("\0", " ").trim()}`,
    );
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

/** What is over and shall not be kept in memory. */
export class Released {
  #references: WeakRef<object>[] = [];

  add(object: object): void {
    this.#references.push(new WeakRef(object));
  }

  /** All of it can be collected. */
  async check(): Promise<void> {
    await untilNone("things that are over are kept in memory", () => {
      collect();
      const kept = this.#references.flatMap((reference) => reference.deref() ?? []);
      this.#references = kept.map((object) => new WeakRef(object));
      return kept.map((object) => `${object.constructor.name}, one of ${kept.length}`);
    });
  }
}

/** Bytes that are in use when all that can be was collected. */
export async function heapInUse(): Promise<number> {
  // Twice, with a turn between: finalizers free more.
  for (let times = 0; times < 2; times++) {
    await sleep(10);
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Whether a number grows from sample to sample. */
export class Growth {
  readonly #samples: number[] = [];

  add(sample: number): void {
    this.#samples.push(sample);
  }

  get latest(): number {
    return this.#samples.at(-1) ?? 0;
  }

  /** The median of all slopes, which a few odd samples do not move; 0 while there are too few to tell. */
  get slope(): number {
    // Caches and compiled code fill at the beginning.
    const settled = this.#samples.slice(WARM_UP);
    if (settled.length < MIN_SAMPLES) return 0;
    const slopes = settled.flatMap((late, at) =>
      settled.slice(0, at).map((early, before) => (late - early) / (at - before)),
    );
    return slopes.sort((a, b) => a - b)[Math.floor(slopes.length / 2)] ?? 0;
  }
}

function collect(): void {
  if (!globalThis.gc) throw new Error("run with --expose-gc");
  globalThis.gc();
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
