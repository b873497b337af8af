import { ProtocolError } from "../errors.ts";
import { type Deferred, deferred, unobserved } from "../internal/deferred.ts";
import type { Route } from "../rpc/router.ts";
import { EventOrder } from "./event-order.ts";
import type { ProcessEvent } from "./events.ts";
import type { ProcessOutput } from "./output.ts";
import type { ProcessStdin } from "./stdin.ts";
import { TerminalPrelude, type TerminalStart } from "./tty.ts";

/** How a process ended. */
export interface ProcessExit {
  /** 0 on success; negative on Windows for NTSTATUS codes; -1 when the server does not know it. */
  readonly exitCode: number;
  /** Whether the server's sandbox refused something the process tried. */
  readonly sandboxDenied: boolean;
}

/** What is known of one process here; every promise in it settles once, at the latest with the connection. */
export class ProcessState implements Route<ProcessEvent> {
  readonly output: ProcessOutput;
  readonly stdin: ProcessStdin;
  readonly #exited = deferred<ProcessExit>();
  readonly #closed = deferred<ProcessExit>();
  readonly #terminal: Deferred<TerminalStart>;
  readonly #prelude: TerminalPrelude | undefined;
  readonly #order = new EventOrder<ProcessEvent>((event) => this.#publish(event));
  #exit: ProcessExit | undefined;
  #over = false;
  /** Takes this state off the connection's routes. */
  release: () => void = () => {};

  constructor(parts: { output: ProcessOutput; stdin: ProcessStdin; printsTerminal: boolean }) {
    this.output = parts.output;
    this.stdin = parts.stdin;
    this.#terminal = deferred();
    if (parts.printsTerminal) this.#prelude = new TerminalPrelude(this.#terminal.resolve);
    else this.#terminal.resolve("unknown");
    for (const { promise } of [this.#exited, this.#closed, this.#terminal])
      void unobserved<Promise<unknown>>(promise);
  }

  get exited(): Promise<ProcessExit> {
    return this.#exited.promise;
  }

  get closed(): Promise<ProcessExit> {
    return this.#closed.promise;
  }

  /** Resolves with what the terminal's first line said, once it is there. */
  get terminal(): Promise<TerminalStart> {
    return this.#terminal.promise;
  }

  get hasExited(): boolean {
    return this.#exit !== undefined;
  }

  /** Whether nothing more will come: closed, or failed. */
  get isOver(): boolean {
    return this.#over;
  }

  accept(event: ProcessEvent): void {
    const bytes = event.type === "output" ? event.chunk.length : 0;
    try {
      this.#order.accept(event.seq, bytes, event);
    } catch (error) {
      this.fail(error as Error);
    }
  }

  /** What was not settled yet rejects; kept output can still be read, then the reader gets the error. */
  fail(error: Error): void {
    if (this.#over) return;
    this.#finish();
    for (const { reject } of [this.#exited, this.#closed, this.#terminal]) reject(error);
    this.output.end(error);
  }

  #publish(event: ProcessEvent): void {
    if (this.#over) return;
    switch (event.type) {
      case "output": {
        const chunk = this.#prelude ? this.#prelude.strip(event.chunk) : event.chunk;
        if (chunk.length > 0) this.output.push({ seq: event.seq, stream: event.stream, chunk });
        return;
      }
      case "exited": {
        this.#exit = { exitCode: event.exitCode, sandboxDenied: event.sandboxDenied };
        this.stdin.close("the process has exited");
        this.#exited.resolve(this.#exit);
        return;
      }
      case "closed": {
        if (!this.#exit) throw new ProtocolError("A process was closed without having exited");
        this.#finish();
        this.#prelude?.end();
        this.#closed.resolve(this.#exit);
        this.output.end();
      }
    }
  }

  #finish(): void {
    this.#over = true;
    this.release();
  }
}
