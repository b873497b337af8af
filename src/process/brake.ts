import { type Deferred, deferred, unobserved } from "../internal/deferred.ts";
import { Latest } from "../internal/latest.ts";

/** Unread bytes above which the process is stopped, unless a quarter of its limit is less. */
const HIGH_MARK = 8 * 1024 * 1024;
/** How often a signal is sent that continues the process. Without it nothing would ever be read again. */
const MAX_TRIES = 3;

/** Stops a process that writes faster than its output is read, and continues it when most of that has been read. */
export class Brake {
  readonly #high: number;
  readonly #stopped: Latest<boolean>;
  #unread = 0;
  #wantsStop = false;
  #isStopped = false;
  #isOver = false;
  /** Calls during which the process must run. */
  #holds = 0;
  /** Whether the process runs until most of its output has been read, because it was asked to end. */
  #isReleased = false;
  /** Pending while the process is to be stopped. */
  #continued: Deferred<void> | undefined;

  /**
   * @param limit Of the unread bytes. Output that arrives before the process has stopped counts as well.
   * @param signal Sends a signal to the process and its group.
   * @param onStuck Called if the process can't be continued.
   */
  constructor(
    limit: number,
    signal: (name: "STOP" | "CONT") => Promise<void>,
    onStuck: (error: unknown) => void,
  ) {
    this.#high = Math.min(HIGH_MARK, limit / 4);
    this.#stopped = new Latest(async (stop) => {
      if (stop === this.#isStopped) return;
      // A signal that fails may have been sent.
      this.#isStopped = true;
      for (let tries = 1; ; tries++) {
        try {
          await signal(stop ? "STOP" : "CONT");
          this.#isStopped = stop;
          return;
        } catch (error) {
          // If the process can't be stopped, the limit rules.
          if (stop) return;
          if (tries < MAX_TRIES) continue;
          onStuck(error);
          return;
        }
      }
    });
  }

  /** Called whenever the number of unread bytes may have changed. */
  update(unread: number): void {
    this.#unread = unread;
    if (unread <= this.#high / 4) this.#isReleased = false;
    const mark = this.#wantsStop ? this.#high / 4 : this.#high;
    const mayStop = this.#holds === 0 && !this.#isReleased && !this.#isOver;
    const wantsStop = mayStop && unread > mark;
    if (wantsStop !== this.#wantsStop) void this.#want(wantsStop);
  }

  /** Resolves when the process is not to be stopped; undefined if that is so already. */
  untilRunning(): Promise<void> | undefined {
    if (!this.#wantsStop) return undefined;
    this.#continued ??= deferred();
    return this.#continued.promise;
  }

  /**
   * Sends another signal while the process runs: one that is stopped would not react.
   *
   * @param isLast Whether it asks the process to end, which then may take its time.
   */
  async whileRunning<T>(send: () => Promise<T>, isLast: boolean): Promise<T> {
    this.#holds++;
    try {
      if (this.#wantsStop || this.#isStopped) await this.#want(false);
      return await send();
    } finally {
      this.#holds--;
      this.#isReleased ||= isLast;
      this.update(this.#unread);
    }
  }

  /** Continues the process for good. */
  release(): void {
    this.#isOver = true;
    if (this.#wantsStop) void this.#want(false);
  }

  #want(stop: boolean): Promise<void> {
    this.#wantsStop = stop;
    if (!stop) {
      this.#continued?.resolve();
      this.#continued = undefined;
    }
    return unobserved(this.#stopped.set(stop));
  }
}
