import type { GatewayEvent } from "../events.ts";

const PREFIX = "exec_server_gateway";

/** What is read at the time of a request. */
export interface Gauges {
  readonly pages: number;
  readonly maxPages: number;
  readonly isReady: boolean;
  readonly lostLogLines: number;
}

/** Counts events, and shows the counts as Prometheus text. No label holds an address, a user or an origin. */
export class Metrics {
  readonly #version: string;
  readonly #started = Date.now() / 1_000 - process.uptime();
  readonly #refused = new Map<string, number>();
  readonly #closed = new Map<string, number>();
  #connected = 0;
  #ready = 0;
  #dialSeconds = 0;
  #sessionSeconds = 0;
  #bytesFromPages = 0;
  #bytesToPages = 0;

  constructor(version: string) {
    this.#version = version;
  }

  count({ type, reason, bytes, bytesFromPage, durationMs }: GatewayEvent): void {
    if (type === "refused") increment(this.#refused, reason);
    else if (type === "connected") this.#connected++;
    else if (type === "ready") {
      this.#ready++;
      this.#dialSeconds += durationMs / 1_000;
    } else {
      increment(this.#closed, reason);
      this.#sessionSeconds += durationMs / 1_000;
      this.#bytesFromPages += bytesFromPage;
      this.#bytesToPages += bytes - bytesFromPage;
    }
  }

  text({ pages, maxPages, isReady, lostLogLines }: Gauges): string {
    const closed = [...this.#closed.values()].reduce((sum, count) => sum + count, 0);
    return [
      metric("info", "gauge", "The version of the gateway.", [[`{version="${this.#version}"}`, 1]]),
      metric("ready", "gauge", "Whether a page could be served now.", [["", isReady ? 1 : 0]]),
      metric("pages", "gauge", "Pages connected now.", [["", pages]]),
      metric("pages_limit", "gauge", "Pages that may be connected at once.", [["", maxPages]]),
      metric("connected_total", "counter", "Pages admitted.", [["", this.#connected]]),
      metric("refused_total", "counter", "Requests refused.", byReason(this.#refused)),
      metric("closed_total", "counter", "Pages closed.", byReason(this.#closed)),
      metric("bytes_total", "counter", "Bytes on the sockets of closed pages.", [
        [`{direction="from_page"}`, this.#bytesFromPages],
        [`{direction="to_page"}`, this.#bytesToPages],
      ]),
      metric("dial_seconds", "summary", "Time from a page's request until its exec-server was reached.", [
        ["_sum", this.#dialSeconds],
        ["_count", this.#ready],
      ]),
      metric(
        "session_seconds",
        "summary",
        "Time from a page's request until both its connections were closed.",
        [
          ["_sum", this.#sessionSeconds],
          ["_count", closed],
        ],
      ),
      metric("log_lines_lost_total", "counter", "Log lines that could not be written.", [["", lostLogLines]]),
      residentMemory(),
      `# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds ${this.#started}\n`,
    ].join("");
  }
}

/** Nothing if it can't be read: that takes a descriptor, of which the process may have none left. */
function residentMemory(): string {
  try {
    const bytes = process.memoryUsage.rss();
    return `# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes ${bytes}\n`;
  } catch {
    return "";
  }
}

function increment(counts: Map<string, number>, reason = "unknown"): void {
  counts.set(reason, (counts.get(reason) ?? 0) + 1);
}

function byReason(counts: ReadonlyMap<string, number>): [suffix: string, value: number][] {
  return [...counts].map(([reason, value]) => [`{reason="${reason}"}`, value]);
}

function metric(
  name: string,
  type: "counter" | "gauge" | "summary",
  help: string,
  samples: readonly (readonly [suffix: string, value: number])[],
): string {
  const lines = samples.map(([suffix, value]) => `${PREFIX}_${name}${suffix} ${value}\n`);
  return `# HELP ${PREFIX}_${name} ${help}\n# TYPE ${PREFIX}_${name} ${type}\n${lines.join("")}`;
}
