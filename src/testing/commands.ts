import { ServerError } from "../errors/server.ts";
import { decodeBase64 } from "../internal/base64.ts";
import {
  aFunction,
  checkArgument,
  checkOptions,
  either,
  type Rules,
  stringList,
} from "../internal/option-rules.ts";
import { RPC_METHOD_NOT_FOUND } from "../protocol/json-rpc.ts";
import type { ProcessStartParams } from "../protocol/process.ts";
import { INVALID_REQUEST } from "./error-codes.ts";
import { isFileScript, playFileScript } from "./file-scripts.ts";
import type { TestFiles } from "./files.ts";
import type { TestHandler } from "./handlers.ts";
import { resizeOf, signalOf } from "./helper-commands.ts";
import type { Ports } from "./ports.ts";
import { Recorder } from "./recorder.ts";
import { Registrations } from "./registrations.ts";
import { dataRule, exitCodeRule } from "./rules.ts";
import { soon } from "./soon.ts";
import type { TestConnection } from "./test-connection.ts";
import { TestProcess } from "./test-process.ts";

/** The output and exit code of a command. */
export interface CommandOutcome {
  /** Written to standard output. @default nothing */
  readonly stdout?: string | Uint8Array | undefined;
  /** Written to standard error. @default nothing */
  readonly stderr?: string | Uint8Array | undefined;
  /** The exit code. @default 0 */
  readonly exitCode?: number | undefined;
}

/** Plays a process, synchronously or asynchronously. Its return value is ignored; an error it throws ends the process. */
export type CommandScript = (process: TestProcess) => unknown;

/** The program with exactly these arguments, or a function that returns true for the arguments to match. */
export type CommandMatch = readonly string[] | ((argv: readonly string[]) => boolean);

const OUTCOME_RULES: Rules<CommandOutcome> = {
  stdout: dataRule,
  stderr: dataRule,
  exitCode: exitCodeRule,
};

interface Command {
  readonly match: CommandMatch;
  readonly play: CommandScript;
}

/** The commands of a test server, and the processes started from them. */
export class Commands {
  readonly processes = new Recorder<TestProcess>();
  readonly #commands = new Registrations<Command>();
  readonly #byConnection = new WeakMap<TestConnection, Map<string, TestProcess>>();
  readonly #terminals = new Map<string, TestProcess>();
  readonly #files: TestFiles;
  readonly #ports: Ports;
  #nextPid = 1000;

  constructor(files: TestFiles, ports: Ports) {
    this.#files = files;
    this.#ports = ports;
  }

  add(match: CommandMatch, outcome: CommandOutcome | CommandScript): () => void {
    checkArgument("onCommand(): match", match, either(stringList, aFunction));
    if (typeof outcome !== "function") checkOptions("onCommand()", outcome, OUTCOME_RULES);
    const play = typeof outcome === "function" ? outcome : (process: TestProcess) => finish(process, outcome);
    return this.#commands.add({ match, play });
  }

  readonly start: TestHandler<"process/start"> = ({ params }, connection) => {
    if (this.#help(params, connection)) return { processId: params.processId };
    const running = this.#processesOf(connection);
    if (running.get(params.processId)?.reservesId) {
      throw new ServerError(`process ${params.processId} already exists`, { rpcCode: INVALID_REQUEST });
    }
    const process = new TestProcess(params, connection, this.#nextPid++);
    const ownScript = this.#ownScript(process.argv);
    const command = ownScript ? undefined : this.#find(process.argv);
    running.set(process.processId, process);
    if (command) void this.#play(process, command);
    else soon(() => void ownScript?.(process));
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

  /** What plays a script of the client's own. */
  #ownScript(argv: readonly string[]): ((process: TestProcess) => unknown) | undefined {
    if (isFileScript(argv)) return (process) => playFileScript(process, this.#files);
    return this.#ports.scriptOf(argv);
  }

  #processesOf(connection: TestConnection): Map<string, TestProcess> {
    const processes = this.#byConnection.get(connection) ?? new Map<string, TestProcess>();
    this.#byConnection.set(connection, processes);
    return processes;
  }

  #find(argv: readonly string[]): Command {
    const command = this.#commands.all.find(({ match }) =>
      typeof match === "function" ? match(argv) : JSON.stringify(match) === JSON.stringify(argv),
    );
    if (command) return command;
    const shown = JSON.stringify(argv);
    const message = `the test server has no command ${shown}: add server.onCommand(${shown}, { stdout: "…" })`;
    throw new ServerError(message, { rpcCode: RPC_METHOD_NOT_FOUND });
  }

  /** Runs a helper command of the client. Returns false for any other command. */
  #help(params: ProcessStartParams, connection: TestConnection): boolean {
    const resize = resizeOf(params.argv);
    const signal = signalOf(params.argv);
    const terminal = this.#terminals.get(resize?.device ?? "");
    if (!signal && !(resize && terminal)) return false;
    if (resize) terminal?.resize(resize.size);
    const helper = new TestProcess(params, connection, this.#nextPid++);
    soon(() => {
      if (signal) this.processes.all.find(({ pid }) => pid === signal.pid)?.receiveSignal(signal.name);
      helper.exit();
    });
    return true;
  }

  async #play(process: TestProcess, { play }: Command): Promise<void> {
    // The response to the start is sent first.
    await undefined;
    // What the client reads of the launcher's report, and hides from the app.
    const device = process.terminalSize && `/dev/pts/${this.#terminals.size}`;
    if (device) this.#terminals.set(device, process);
    process.report(device);
    this.processes.record(process);
    try {
      await play(process);
    } catch (error) {
      // Reported on standard error, which the app's own failure shows.
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
