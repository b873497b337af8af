import type { ChildProcess } from "node:child_process";
import { ProtocolError } from "../errors/connection.ts";
import { textOf } from "../internal/bytes.ts";
import { settledWithin } from "../internal/timer.ts";
import { LineDecoder } from "../transport/line-decoder.ts";
import { ReceiveQueue } from "../transport/receive-queue.ts";
import {
  type Connection,
  type ConnectionReceiver,
  type FlowControl,
  MAX_INCOMING_FRAME,
} from "../transport/transport.ts";
import { killAtExit, killGroup } from "./process-group.ts";
import { readLines, type StderrOption } from "./stderr.ts";

/** How long each step of stopping the child may take: the end of its input, SIGTERM, SIGKILL. */
const STOP_STEP_MS = 600;

/** Bun's pipes have neither method. */
interface Handle {
  ref?(): void;
  unref?(): void;
}

/** The log is not quoted, because it can hold credentials. */
const LOG_HINT = ' (stderr: "inherit" shows its log)';
/** What it can mean that a child does not answer. */
const TOO_OLD_HINT = "servers before 0.130 have no stdio";
const STDIO_HINT = 'are "--listen", "stdio" among its args?';

/** What the first line of a server that listens elsewhere begins with. */
const ADDRESS = "ws://";

/** The pipes of a child that is an exec-server. */
export class ChildConnection implements Connection {
  readonly #child: ChildProcess;
  readonly #receiveQueue = new ReceiveQueue();
  readonly #lines = new LineDecoder(MAX_INCOMING_FRAME);
  readonly #exited: Promise<void>;
  #isOpen = true;
  #hasAnswered = false;
  /** The first failure, or how the child ended. */
  #reason: string | undefined;
  #stopped: Promise<void> | undefined;
  readonly flow: FlowControl;

  /** @param isStdioRequested Whether its arguments ask the child to use its pipes. */
  constructor(child: ChildProcess, stderr: StderrOption | undefined, isStdioRequested: boolean) {
    this.#child = child;
    this.flow = childFlow(child);
    const cancelKillAtExit = killAtExit(child);
    this.#exited = new Promise((resolve) => {
      const onGone = (): void => {
        cancelKillAtExit();
        resolve();
      };
      child.once("error", onGone);
      child.once("exit", (code, signal) => {
        onGone();
        const early =
          code === 1 && !this.#hasAnswered
            ? ` before it answered: ${isStdioRequested ? TOO_OLD_HINT : STDIO_HINT}`
            : "";
        this.#onExit(`${signal ?? `code ${code}`}${early}${stderr === undefined ? LOG_HINT : ""}`);
      });
    });
    child.stdout?.on("data", (chunk: Uint8Array) => this.#onOutput(chunk));
    child.stdout?.once("error", () => this.#onOutputEnd());
    child.stdout?.once("end", () => this.#onOutputEnd());
    // Responses can still be in the output pipe: only its end is the end of the connection.
    child.stdin?.on("error", (error) => void this.#stop(`its input could not be written (${codeOf(error)})`));
    if (typeof stderr === "function" && child.stderr) readLines(child.stderr, stderr);
  }

  get isOpen(): boolean {
    return this.#isOpen && !this.#hasExited;
  }

  start(receiver: ConnectionReceiver): void {
    this.#receiveQueue.start(receiver);
  }

  send(frame: string): void {
    // One line is one message. A line ending inside a message can only be white space of its JSON.
    const line = /[\r\n]/.test(frame) ? frame.replace(/[\r\n]+/g, " ") : frame;
    if (this.isOpen) this.#child.stdin?.write(`${line}\n`);
  }

  ref(): void {
    for (const handle of this.#handles) handle.ref?.();
  }

  /** The child still ends with this process. */
  unref(): void {
    for (const handle of this.#handles) handle.unref?.();
  }

  async close(): Promise<void> {
    await this.#stop("closed");
    this.#end();
  }

  #onOutput(chunk: Uint8Array): void {
    try {
      for (const line of this.#lines.push(chunk)) {
        this.#checkFirst(line);
        this.#receiveQueue.frame(line);
      }
    } catch (cause) {
      void this.#stop((cause as Error).message);
      this.#end(undefined, cause);
    }
  }

  #checkFirst(line: Uint8Array): void {
    if (this.#hasAnswered) return;
    if (textOf(line.subarray(0, ADDRESS.length)) === ADDRESS)
      throw new ProtocolError(`The child listens on a WebSocket: ${STDIO_HINT}`);
    this.#hasAnswered = true;
  }

  #onOutputEnd(): void {
    void this.#stop();
    // The exit code arrives a moment after the end of the output, and is the better reason.
    void settledWithin(this.#exited, STOP_STEP_MS).then(() => this.#end("it closed its output"));
  }

  #onExit(how: string): void {
    this.#isOpen = false;
    this.#reason ??= `the exec-server process ended with ${how}`;
    // Processes of the group that are still running would keep the pipe open.
    killGroup(this.#child, "SIGKILL");
    const { stdout } = this.#child;
    const drained = new Promise<void>((resolve) => {
      if (!stdout || stdout.closed) resolve();
      else stdout.once("close", resolve);
    });
    void settledWithin(drained, STOP_STEP_MS).then(() => this.#end());
  }

  /** Stops the child: ends its input, then sends SIGTERM, then SIGKILL. */
  #stop(reason?: string): Promise<void> {
    this.#isOpen = false;
    this.#reason ??= reason;
    this.#stopped ??= this.#runStopSteps();
    return this.#stopped;
  }

  async #runStopSteps(): Promise<void> {
    this.#child.stdin?.end();
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      await settledWithin(this.#exited, STOP_STEP_MS);
      if (this.#hasExited) return;
      killGroup(this.#child, signal);
    }
    await settledWithin(this.#exited, STOP_STEP_MS);
  }

  #end(reason = "the connection was lost", cause?: unknown): void {
    const { stdin, stdout, stderr } = this.#child;
    for (const pipe of [stdin, stdout, stderr]) pipe?.destroy();
    this.#receiveQueue.end({ reason: this.#reason ?? reason, cause });
  }

  /** What keeps this process alive. */
  get #handles(): Handle[] {
    const { stdin, stdout, stderr } = this.#child;
    // Pipes are sockets. A destroyed one waits for a connection that never comes, with one listener for each call.
    const pipes = [stdin, stdout, stderr].filter((pipe) => pipe?.destroyed === false);
    return [this.#child, ...pipes] as unknown as Handle[];
  }

  get #hasExited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined;
  }
}

/** Backpressure of a child: that of its pipes. */
function childFlow({ stdin, stdout }: ChildProcess): FlowControl {
  return {
    pause: () => void stdout?.pause(),
    resume: () => void stdout?.resume(),
    get queuedBytes() {
      return stdin?.writableLength ?? 0;
    },
    drained: () =>
      new Promise((resolve) => {
        if (!stdin?.writableLength) return resolve();
        // This callback is called after those of all earlier writes, and also when the pipe breaks.
        stdin.write("", () => resolve());
      }),
  };
}

/** The code of a system error. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "unknown error";
}
