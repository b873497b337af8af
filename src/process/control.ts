import { unsupported } from "../internal/arguments.ts";
import { Latest } from "../internal/latest.ts";
import { Brake } from "./brake.ts";
import { sendSignal } from "./signals.ts";
import { resizeTerminal, type TerminalSize } from "./tty.ts";

/** Runs a command of the SDK's own on the server. Rejects unless it exits with 0. */
export type RunHelper = (argv: readonly string[]) => Promise<unknown>;

/** The signals that ask a process to end. */
const ENDING = ["HUP", "INT", "QUIT", "TERM"];

/** What is done to one process by other processes, because the protocol can't: signals, and the size of its terminal. */
export class ProcessControl {
  /** The process id; undefined if the process can't be signalled. */
  pid: number | undefined;
  /** Why the process can't be signalled. */
  readonly noSignals: string | undefined;
  /** The device of the terminal, if it has one. */
  device: string | undefined;
  readonly brake: Brake | undefined;
  readonly #run: RunHelper;
  readonly #size = new Latest<TerminalSize>((size) => this.#setSize(size));
  #hasExited = false;

  /** Called if the process is stopped because of its unread output and can't be continued. */
  onStuck: (error: unknown) => void = () => {};

  /** @param brakeLimit The limit of unread output, if the process is to be stopped before it. */
  constructor(run: RunHelper, noSignals: string | undefined, brakeLimit: number | undefined) {
    this.#run = run;
    this.noSignals = noSignals;
    if (brakeLimit === undefined) return;
    this.brake = new Brake(
      brakeLimit,
      (name) => this.#signal(name),
      (error) => this.onStuck(error),
    );
  }

  /** From now on nothing is sent: the system may give the process id and the device to others. */
  exited(): void {
    this.#hasExited = true;
    this.brake?.release();
  }

  /** Sends a signal, named without `SIG`, to the process and its group. */
  async signal(name: string): Promise<void> {
    if (this.noSignals !== undefined) unsupported(`this process can't be signalled: ${this.noSignals}`);
    await this.whileRunning(() => this.#signal(name), ENDING.includes(name));
  }

  /**
   * Runs `send` while the process is not stopped because of its unread output.
   *
   * @param isLast Whether it asks the process to end.
   */
  async whileRunning<T>(send: () => Promise<T>, isLast = true): Promise<T> {
    return await (this.brake ? this.brake.whileRunning(send, isLast) : send());
  }

  async resize(size: TerminalSize): Promise<void> {
    if (this.device === undefined)
      unsupported("only a process in a terminal (tty) of a POSIX server can be resized");
    await this.#size.set(size);
  }

  async #signal(name: string): Promise<void> {
    if (this.#hasExited || this.pid === undefined) return;
    try {
      await this.#run(sendSignal(this.pid, name));
    } catch (error) {
      if (!this.#hasExited) throw error;
    }
  }

  async #setSize(size: TerminalSize): Promise<void> {
    this.#checkRunning();
    try {
      await this.#run(resizeTerminal(this.device as string, size));
    } catch (error) {
      // The device goes with the process.
      this.#checkRunning();
      throw error;
    }
  }

  #checkRunning(): void {
    if (this.#hasExited) unsupported("the process has exited, and its terminal with it");
  }
}
