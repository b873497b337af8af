import { ProtocolError } from "../errors/connection.ts";
import { deferred, unobserved } from "../internal/deferred.ts";
import type { NetworkDecision, OutputStreamName } from "../protocol/process.ts";
import type { Route } from "../rpc/router.ts";
import type { ProcessControl } from "./control.ts";
import { EventOrder } from "./event-order.ts";
import type { DecisionEvent, ProcessEvent } from "./events.ts";
import type { LaunchSetup } from "./launcher/launch.ts";
import { type LaunchReport, LaunchReporter } from "./launcher/report.ts";
import type { ProcessOutput } from "./output.ts";
import type { ProcessStdin } from "./stdin.ts";

/** The outcome of a process. */
export interface ProcessExit {
  /** 0 on success; negative on Windows for NTSTATUS codes; -1 if the server does not know the code. */
  readonly exitCode: number;
  /** Whether the server's sandbox denied an operation of the process. */
  readonly sandboxDenied: boolean;
}

/** The answer to a request to kill a process. */
export interface TerminateResult {
  /** Whether the process was still running. */
  running: boolean;
}

/** The client's state of one process. Each of its promises settles at the latest when the connection ends. */
export class ProcessState implements Route<ProcessEvent | DecisionEvent> {
  readonly output: ProcessOutput;
  readonly stdin: ProcessStdin;
  readonly control: ProcessControl;
  readonly #exited = deferred<ProcessExit>();
  readonly #closed = deferred<ProcessExit>();
  readonly #launched = deferred<LaunchReport>();
  /** What the launcher prints before the output of the program. */
  readonly #reporters: Partial<Record<OutputStreamName, LaunchReporter>>;
  readonly #order = new EventOrder<ProcessEvent>((event) => this.#publish(event));
  readonly #onDecision: (decision: NetworkDecision) => void;
  #exit: ProcessExit | undefined;
  #isOver = false;
  /** Removes this state from the routes of the connection. */
  release: () => void = () => {};

  /** @param launched How the launcher starts the process, if it does. */
  constructor(
    parts: {
      output: ProcessOutput;
      stdin: ProcessStdin;
      control: ProcessControl;
      onDecision: (decision: NetworkDecision) => void;
    },
    launched: LaunchSetup["type"] | undefined,
  ) {
    this.#onDecision = parts.onDecision;
    this.output = parts.output;
    this.stdin = parts.stdin;
    this.control = parts.control;
    this.control.onStuck = (error) => this.output.end(error as Error);
    const reporter = new LaunchReporter((report) => {
      // Before the events behind it: output that has to stop the process, or the exit that ends the feeder.
      if (report.type === "started") this.#started(report);
      this.#launched.resolve(report);
    });
    if (launched === "pipes") this.#reporters = { stdout: reporter, stderr: new LaunchReporter() };
    else this.#reporters = launched ? { pty: reporter } : {};
    for (const { promise } of [this.#exited, this.#closed, this.#launched])
      void unobserved<Promise<unknown>>(promise);
  }

  get exited(): Promise<ProcessExit> {
    return this.#exited.promise;
  }

  get closed(): Promise<ProcessExit> {
    return this.#closed.promise;
  }

  /** Resolves with the report of the launcher, if there is one. */
  get launched(): Promise<LaunchReport> {
    return this.#launched.promise;
  }

  get hasExited(): boolean {
    return this.#exit !== undefined;
  }

  /** Whether the process was closed or has failed: later events are ignored. */
  get isOver(): boolean {
    return this.#isOver;
  }

  accept(event: ProcessEvent | DecisionEvent): void {
    if (event.type === "decision") {
      this.#onDecision(event.decision);
      return;
    }
    const bytes = event.type === "output" ? event.chunk.length : 0;
    try {
      this.#order.accept(event.seq, bytes, event);
    } catch (error) {
      this.fail(error as Error);
    }
  }

  /** Rejects all pending promises. The reader gets the kept output and then the error. */
  fail(error: Error): void {
    if (this.#isOver) return;
    this.#finish();
    for (const { reject } of [this.#exited, this.#closed, this.#launched]) reject(error);
    this.output.end(error);
    // It may still run: what is sent to it then has an outcome of its own.
    this.control.brake?.release();
    this.stdin.fail(error);
  }

  /** The launcher has started the program. */
  #started({ pid, device, isFed }: LaunchReport & { type: "started" }): void {
    const { control, stdin } = this;
    if (control.noSignals === undefined) control.pid = pid;
    control.device = device;
    if (isFed) stdin.feed();
  }

  #publish(event: ProcessEvent): void {
    if (this.#isOver) return;
    switch (event.type) {
      case "output": {
        const chunk = this.#reporters[event.stream]?.strip(event.chunk) ?? event.chunk;
        if (chunk.length > 0) this.output.push({ seq: event.seq, stream: event.stream, chunk });
        return;
      }
      case "exited": {
        this.#exit = { exitCode: event.exitCode, sandboxDenied: event.sandboxDenied };
        this.stdin.exited();
        this.control.exited();
        this.#exited.resolve(this.#exit);
        return;
      }
      case "closed": {
        if (!this.#exit) throw new ProtocolError("Received process/closed before process/exited");
        this.#finish();
        const { pty, stdout = pty, stderr } = this.#reporters;
        stdout?.end(stderr?.printed);
        this.#closed.resolve(this.#exit);
        this.output.end();
      }
    }
  }

  #finish(): void {
    this.#isOver = true;
    this.release();
  }
}
