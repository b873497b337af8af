import { ServerError } from "../errors.ts";
import { decodeBase64 } from "../internal/base64.ts";
import { RPC_METHOD_NOT_FOUND } from "../protocol/json-rpc.ts";
import type { ProcessStartParams } from "../protocol/process.ts";
import type { TestHandler } from "./handlers.ts";
import { Arrivals } from "./recorder.ts";
import { terminalResize } from "./terminal.ts";
import type { TestConnection } from "./test-connection.ts";
import { TestProcess } from "./test-process.ts";

/** What a command prints, and how it exits. */
export interface CommandOutcome {
  /** What it prints to standard output. @default nothing */
  readonly stdout?: string | Uint8Array | undefined;
  /** What it prints to standard error. @default nothing */
  readonly stderr?: string | Uint8Array | undefined;
  /** What it exits with. @default 0 */
  readonly exitCode?: number | undefined;
}

/** Plays a process, for as long as it likes; what it returns is ignored. */
export type CommandScript = (process: TestProcess) => unknown;

/** The program with exactly these arguments, or what a function takes. */
export type CommandMatch = readonly string[] | ((argv: readonly string[]) => boolean);

interface Command {
  readonly match: CommandMatch;
  readonly play: CommandScript;
}

/** The commands a test server knows, and the processes that were started of them. */
export class Commands {
  readonly processes = new Arrivals<TestProcess>();
  readonly #commands: Command[] = [];
  readonly #byConnection = new WeakMap<TestConnection, Map<string, TestProcess>>();
  readonly #terminals = new Map<string, TestProcess>();

  add(match: CommandMatch, outcome: CommandOutcome | CommandScript): () => void {
    const play = typeof outcome === "function" ? outcome : (process: TestProcess) => finish(process, outcome);
    const command = { match, play };
    this.#commands.unshift(command);
    return () => {
      const at = this.#commands.indexOf(command);
      if (at >= 0) this.#commands.splice(at, 1);
    };
  }

  readonly start: TestHandler<"process/start"> = ({ params }, connection) => {
    if (this.#resize(params, connection)) return { processId: params.processId };
    const running = this.#processesOf(connection);
    if (running.get(params.processId)?.isRunning) {
      throw new ServerError(`process ${params.processId} already exists`, { rpcCode: -32600 });
    }
    const process = new TestProcess(params, connection);
    const command = this.#find(process.argv);
    running.set(process.processId, process);
    void this.#play(process, command);
    return { processId: process.processId };
  };

  readonly write: TestHandler<"process/write"> = ({ params }, connection) => {
    const process = this.#processesOf(connection).get(params.processId);
    return { status: process?.receive(decodeBase64(params.chunk) ?? new Uint8Array()) ?? "unknownProcess" };
  };

  readonly signal: TestHandler<"process/signal"> = ({ params }, connection) => {
    this.#processesOf(connection).get(params.processId)?.interrupt();
    return {};
  };

  readonly terminate: TestHandler<"process/terminate"> = ({ params }, connection) => {
    const process = this.#processesOf(connection).get(params.processId);
    const running = process?.isRunning ?? false;
    process?.exit(137);
    return { running };
  };

  #processesOf(connection: TestConnection): Map<string, TestProcess> {
    const processes = this.#byConnection.get(connection) ?? new Map<string, TestProcess>();
    this.#byConnection.set(connection, processes);
    return processes;
  }

  #find(argv: readonly string[]): Command {
    const command = this.#commands.find(({ match }) =>
      typeof match === "function" ? match(argv) : JSON.stringify(match) === JSON.stringify(argv),
    );
    if (command) return command;
    const shown = JSON.stringify(argv);
    const message = `the test server has no such command: add server.onCommand(${shown}, { stdout: "…" })`;
    throw new ServerError(message, { rpcCode: RPC_METHOD_NOT_FOUND });
  }

  /** The client resizes a terminal with a command of its own. */
  #resize(params: ProcessStartParams, connection: TestConnection): boolean {
    const resize = terminalResize(params.argv);
    const terminal = this.#terminals.get(resize?.device ?? "");
    if (!resize || !terminal) return false;
    terminal.resize(resize.size);
    const command = new TestProcess(params, connection);
    queueMicrotask(() => command.exit());
    return true;
  }

  async #play(process: TestProcess, { play }: Command): Promise<void> {
    // The answer to the start goes first.
    await undefined;
    if (process.terminalSize) {
      // The first line of a terminal is for the client, not for the app.
      const device = `/dev/pts/${this.#terminals.size}`;
      this.#terminals.set(device, process);
      process.stdout(`${device}\r\n`);
    }
    this.processes.add(process);
    try {
      await play(process);
    } catch (error) {
      // Said where the app's own failure will show it.
      process.stderr(`the test's script of ${JSON.stringify(process.argv)} failed: ${String(error)}\n`);
      process.exit(1);
    }
  }
}

function finish(process: TestProcess, { stdout, stderr, exitCode }: CommandOutcome): void {
  if (stdout !== undefined) process.stdout(stdout);
  if (stderr !== undefined) process.stderr(stderr);
  process.exit(exitCode);
}
