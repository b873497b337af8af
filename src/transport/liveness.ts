/** Into how many slices the time of silence is cut. */
const SLICES = 5;
/** The part of a slice by which its timer may be off. More, and this side has slept, was throttled or stood still. */
const TOLERANCE = 0.5;
/** What timers can count. */
const MAX_SLICE_MS = 2 ** 31 - 1;

/**
 * Watches over a peer that may vanish without a word. What counts is silence in slices of time that ended punctually:
 * after the others, messages may be waiting that nobody had the time to read.
 */
export class Liveness {
  readonly #sliceMs: number;
  readonly #ask: () => void;
  readonly #onSilence: () => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  #sliceBegan = 0;
  #silentSlices = 0;
  #isAsked = false;

  /** @param ms Silence after which `onSilence` is called, at most a fifth later. `ask` is to provoke a sign of life. */
  constructor(ms: number, ask: () => void, onSilence: () => void) {
    this.#sliceMs = ms / SLICES;
    this.#ask = ask;
    this.#onSilence = onSilence;
  }

  watch(): void {
    this.stop();
    this.heard();
    if (this.#sliceMs > MAX_SLICE_MS) return;
    this.#sliceBegan = Date.now();
    this.#timer = setInterval(() => this.#onSlice(), this.#sliceMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Whatever the peer says is a sign of life. */
  heard(): void {
    this.#silentSlices = 0;
    this.#isAsked = false;
  }

  #onSlice(): void {
    const now = Date.now();
    const off = Math.abs(now - this.#sliceBegan - this.#sliceMs);
    this.#sliceBegan = now;
    if (off < this.#sliceMs * TOLERANCE) this.#silentSlices++;
    // One question is enough, however late it is answered.
    if (!this.#isAsked) this.#ask();
    this.#isAsked = true;
    if (this.#silentSlices > SLICES) this.#onSilence();
  }
}
