import { watchActiveTime } from "../../internal/active-interval.ts";

/** Into how many slices the time of silence is cut. */
const SLICES = 5;

/** Watches over a peer that may vanish without a word. Only silence in time in which this side was awake counts. */
export class Liveness {
  readonly #ms: number;
  readonly #ask: () => void;
  readonly #onSilence: () => void;
  #stop = (): void => {};
  #silentSlices = 0;
  #isAsked = false;

  /** @param ms Silence after which `onSilence` is called, at most a fifth later. `ask` is to provoke a sign of life. */
  constructor(ms: number, ask: () => void, onSilence: () => void) {
    this.#ms = ms;
    this.#ask = ask;
    this.#onSilence = onSilence;
  }

  watch(): void {
    this.stop();
    this.heard();
    if (this.#ms === Number.POSITIVE_INFINITY) return;
    this.#stop = watchActiveTime({
      sliceMs: this.#ms / SLICES,
      onSlice: () => this.#onSlice(),
      onWake: () => {
        this.#silentSlices = 0;
        this.#askOnce();
      },
    });
  }

  stop(): void {
    this.#stop();
  }

  /** Whatever the peer says is a sign of life. */
  heard(): void {
    this.#silentSlices = 0;
    this.#isAsked = false;
  }

  #onSlice(): void {
    // The first one may have begun before the peer was last heard.
    if (this.#silentSlices++ === SLICES) this.#onSilence();
    else this.#askOnce();
  }

  /** One question is enough, however late it is answered. */
  #askOnce(): void {
    if (!this.#isAsked) this.#ask();
    this.#isAsked = true;
  }
}
