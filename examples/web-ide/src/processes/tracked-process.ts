import type { ExecProcess } from "exec-server-sdk";
import { Throughput } from "./throughput.ts";

/** "lost": its connection ended, so how it ended is unknown. */
export type ProcessOutcome = "running" | "exited" | "lost";

/** A process with what the list shows of it. */
export class TrackedProcess {
  readonly process: ExecProcess;
  readonly throughput = new Throughput();
  readonly startedAt = Date.now();
  /** Resolves when it has exited or its connection has ended. */
  readonly ended: Promise<void>;
  /** What the program calls itself, or its command line. */
  title: string;
  /** The newest output as text, if it is kept. */
  tail: string | undefined;
  #state: ProcessOutcome = "running";
  #exitCode: number | undefined;
  #endedAt: number | undefined;

  constructor(title: string, process: ExecProcess) {
    this.title = title;
    this.process = process;
    this.ended = process.exited.then(
      ({ exitCode }) => this.#end("exited", exitCode),
      () => this.#end("lost"),
    );
  }

  get state(): ProcessOutcome {
    return this.#state;
  }

  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  /** Milliseconds since the start, or from the start to the end. */
  get ageMs(): number {
    return (this.#endedAt ?? Date.now()) - this.startedAt;
  }

  /** All output, counted as it is read. It can be read once. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    for await (const { chunk } of this.process) {
      this.throughput.add(chunk.length);
      yield chunk;
    }
  }

  #end(state: ProcessOutcome, exitCode?: number): void {
    this.#state = state;
    this.#exitCode = exitCode;
    this.#endedAt = Date.now();
  }
}
