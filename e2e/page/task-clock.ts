/** Measures the time that the page spends on each message: in its handler and the microtasks after it. Loaded before the SDK. */
const durations: number[] = [];
const longTasks: number[] = [];

const original = WebSocket.prototype.addEventListener;
WebSocket.prototype.addEventListener = function (
  this: WebSocket,
  type: string,
  listener: EventListenerOrEventListenerObject | null,
  options?: boolean | AddEventListenerOptions,
): void {
  const timed = type === "message" && typeof listener === "function" ? timeOf(listener) : listener;
  original.call(this, type, timed as EventListener, options);
};

/** The clock stops after this many consecutive microtasks, because microtasks of the handler queue further ones. */
const TURNS = 16;

function timeOf(listener: EventListener): EventListener {
  return (event) => {
    const started = performance.now();
    listener(event);
    let turns = 0;
    const next = (): void => {
      if (++turns < TURNS) queueMicrotask(next);
      else durations.push(performance.now() - started);
    };
    queueMicrotask(next);
  };
}

if (PerformanceObserver.supportedEntryTypes.includes("longtask")) {
  new PerformanceObserver((list) => {
    longTasks.push(...list.getEntries().map(({ duration }) => duration));
  }).observe({ entryTypes: ["longtask"] });
}

export interface TaskTimes {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** The durations of all tasks of the page over 50 ms, in milliseconds. */
  readonly longTasks: readonly number[];
}

/** Returns and resets the measured times, in milliseconds. */
export function takeTaskTimes(): TaskTimes {
  const sorted = durations.splice(0).sort((a, b) => a - b);
  const at = (part: number): number => sorted[Math.floor((sorted.length - 1) * part)] ?? 0;
  return {
    count: sorted.length,
    p50: at(0.5),
    p99: at(0.99),
    max: at(1),
    longTasks: longTasks.splice(0),
  };
}
