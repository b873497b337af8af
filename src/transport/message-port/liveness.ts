import { watchActiveTime } from "../../internal/active-interval.ts";

/** The time of silence is measured in this many slices. */
const SLICES = 5;

/** Detects a peer that disappeared without closing. Counts only silence during which this side's timers ran on time. */
export class Liveness {
  readonly #ms: number;
  readonly #ping: () => void;
  readonly #onSilence: () => void;
  #stop = (): void => {};
  #silentSlices = 0;
  #isPinged = false;

  /** @param ms Silence after which `onSilence` is called, at most a fifth later. `ping` requests an answer of the peer. */
  constructor(ms: number, ping: () => void, onSilence: () => void) {
    this.#ms = ms;
    this.#ping = ping;
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
        this.#pingOnce();
      },
    });
  }

  stop(): void {
    this.#stop();
  }

  /** Restarts the measurement. Any message of the peer is a sign of life. */
  heard(): void {
    this.#silentSlices = 0;
    this.#isPinged = false;
  }

  #onSlice(): void {
    // One slice more than stated: the first one can have begun before the peer's last message.
    if (this.#silentSlices++ === SLICES) this.#onSilence();
    else this.#pingOnce();
  }

  /** Sends one ping per silence: a late pong is as good as one in time. */
  #pingOnce(): void {
    if (!this.#isPinged) this.#ping();
    this.#isPinged = true;
  }
}
