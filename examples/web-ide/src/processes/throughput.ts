const SAMPLES = 30;
const UNITS = ["B", "kB", "MB", "GB"];

/** Counts bytes, and keeps their rate of the last samples. */
export class Throughput {
  #total = 0;
  #sampled = 0;
  #sampledAt = performance.now();
  #rates: number[] = [];

  get total(): number {
    return this.#total;
  }

  /** Bytes per second, one for each sample, oldest first. */
  get rates(): readonly number[] {
    return this.#rates;
  }

  add(bytes: number): void {
    this.#total += bytes;
  }

  /** Takes a sample of the time since the last one. */
  sample(): void {
    const now = performance.now();
    const seconds = (now - this.#sampledAt) / 1_000;
    this.#rates = [...this.#rates, (this.#total - this.#sampled) / seconds].slice(-SAMPLES);
    this.#sampled = this.#total;
    this.#sampledAt = now;
  }
}

/** The points of a line of the rates, from the right end of a box of this size. The highest rate reaches the top. */
export function sparkline(rates: readonly number[], width: number, height: number): string {
  const highest = Math.max(1, ...rates);
  const step = width / (SAMPLES - 1);
  return rates
    .map((rate, n) => {
      const x = width - (rates.length - 1 - n) * step;
      return `${x.toFixed(1)},${(height - (rate / highest) * height).toFixed(1)}`;
    })
    .join(" ");
}

/** `0 B`, `999 B`, `1.2 kB`, `12 MB`. */
export function bytes(count: number): string {
  let [value, unit] = [count, 0];
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${unit > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

/** `0 s`, `59 s`, `2:05`, `1:00:00`. */
export function duration(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  const parts = hours > 0 ? [hours, pad(minutes), pad(seconds % 60)] : [minutes, pad(seconds % 60)];
  return parts.join(":");
}

const pad = (number: number): string => String(number).padStart(2, "0");
