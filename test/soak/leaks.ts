import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Violation } from "../support/violation.ts";

/** Multiplies all time limits. Below 1 for builds that are known to be broken. */
export const TIMEOUT_FACTOR = Number(process.env["TIMEOUT_FACTOR"] ?? 1);
const WARM_UP = 4;
const MIN_SAMPLES = 8;
const CLEANUP_MS = 10_000 * TIMEOUT_FACTOR;

/** Polls until the list is empty; throws a Violation after 10 s. */
export async function waitUntilEmpty(message: string, remaining: () => readonly string[]): Promise<void> {
  const start = performance.now();
  while (remaining().length > 0) {
    if (performance.now() - start > CLEANUP_MS)
      throw new Violation(`${message}: ${remaining().slice(0, 5).join("; ")}`);
    await sleep(20);
  }
}

/** Files in a directory that a process has open. */
export function openFiles(pid: number, directory: string): string[] {
  return linksIn(`/proc/${pid}/fd`).filter((path) => path.startsWith(directory));
}

/** Processes with this variable in their environment. */
export function processesWithEnv(name: string, value: string): string[] {
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

/** Finds timers, file descriptors and resources of this process that did not exist at construction. */
export class LeakDetector {
  readonly #timers = trackTimers();
  readonly #files = linksIn("/proc/self/fd").length;
  readonly #resources = tally(process.getActiveResourcesInfo());

  async check(): Promise<void> {
    await waitUntilEmpty("timers are still set", () => [...this.#timers].map(String));
    await waitUntilEmpty("files or sockets are still open", () =>
      linksIn("/proc/self/fd").slice(this.#files),
    );
    await waitUntilEmpty("resources are still active", () =>
      [...tally(process.getActiveResourcesInfo())]
        .filter(([name, count]) => count > (this.#resources.get(name) ?? 0))
        .map(([name, count]) => `${name}: ${count} instead of ${this.#resources.get(name) ?? 0}`),
    );
  }
}

/** Objects that must be collectable as garbage. */
export class ReleasedObjects {
  #references: WeakRef<object>[] = [];

  add(object: object): void {
    this.#references.push(new WeakRef(object));
  }

  /** Throws a Violation unless all of them are collected. */
  async check(): Promise<void> {
    await waitUntilEmpty("released objects are still in memory", () => {
      collect();
      const reachable = this.#references.flatMap((reference) => reference.deref() ?? []);
      this.#references = reachable.map((object) => new WeakRef(object));
      return reachable.map((object) => `${object.constructor.name}, one of ${reachable.length}`);
    });
  }
}

/** Bytes in use after a garbage collection. */
export async function heapBytes(): Promise<number> {
  // Twice with a turn of the event loop between, because finalizers free more memory.
  for (let times = 0; times < 2; times++) {
    await sleep(10);
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Detects whether a figure grows from sample to sample. */
export class Growth {
  readonly #samples: number[] = [];

  add(sample: number): void {
    this.#samples.push(sample);
  }

  get latest(): number {
    return this.#samples.at(-1) ?? 0;
  }

  /** The median of all pairwise slopes, which outliers do not affect; 0 with fewer than 8 samples. */
  get slope(): number {
    // The first samples grow because caches and compiled code fill up.
    const settled = this.#samples.slice(WARM_UP);
    if (settled.length < MIN_SAMPLES) return 0;
    const slopes = settled.flatMap((late, at) =>
      settled.slice(0, at).map((early, before) => (late - early) / (at - before)),
    );
    return slopes.sort((a, b) => a - b)[Math.floor(slopes.length / 2)] ?? 0;
  }
}

function collect(): void {
  if (!globalThis.gc) throw new Error("heapBytes() and ReleasedObjects require node --expose-gc");
  globalThis.gc();
}

/** Tracks every timer, including those that do not keep the process alive. Yields the stack line that set each. */
function trackTimers(): Iterable<string> {
  const live = new Map<unknown, string>();
  const {
    setTimeout: setOnce,
    setInterval: setEvery,
    clearTimeout: clearOnce,
    clearInterval: clearEvery,
  } = globalThis;
  const callSite = (): string => new Error("timer").stack?.split("\n")[3]?.trim() ?? "";
  Object.assign(globalThis, {
    setTimeout(callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) {
      const timer = setOnce(() => {
        live.delete(timer);
        callback(...args);
      }, ms);
      live.set(timer, callSite());
      return timer;
    },
    setInterval(callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) {
      const timer = setEvery(callback, ms, ...args);
      live.set(timer, callSite());
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
