import { unobserved } from "../internal/deferred.ts";
import { Latest } from "../internal/latest.ts";

/** Unread bytes above which the process is stopped, unless a quarter of its limit is less. */
const HIGH_MARK = 8 * 1024 * 1024;

/** Stops a process that writes faster than its output is read, and continues it when most of that has been read. */
export class Brake {
  readonly #high: number;
  readonly #stopped: Latest<boolean>;
  #unread = 0;
  #wantsStop = false;
  #isStopped = false;
  /** Calls during which the process must run. */
  #holds = 0;

  /**
   * @param limit Of the unread bytes. Output that arrives before the process has stopped counts as well.
   * @param signal Sends a signal to the process and its group.
   */
  constructor(limit: number, signal: (name: "STOP" | "CONT") => Promise<void>) {
    this.#high = Math.min(HIGH_MARK, limit / 4);
    this.#stopped = new Latest(async (stop) => {
      if (stop === this.#isStopped) return;
      this.#isStopped = stop;
      await signal(stop ? "STOP" : "CONT");
    });
  }

  /** Called whenever the number of unread bytes may have changed. */
  update(unread: number): void {
    this.#unread = unread;
    const mark = this.#wantsStop ? this.#high / 4 : this.#high;
    const wantsStop = this.#holds === 0 && unread > mark;
    if (wantsStop === this.#wantsStop) return;
    this.#wantsStop = wantsStop;
    // If a signal can't be sent, the limit rules.
    void unobserved(this.#stopped.set(wantsStop));
  }

  /** Sends another signal while the process runs: one that is stopped would not react. */
  async whileRunning<T>(send: () => Promise<T>): Promise<T> {
    this.#holds++;
    try {
      if (this.#wantsStop || this.#isStopped) {
        this.#wantsStop = false;
        await unobserved(this.#stopped.set(false)).catch(() => {});
      }
      return await send();
    } finally {
      this.#holds--;
      this.update(this.#unread);
    }
  }
}
