import { ClosedError, DisconnectedError, ProtocolError, ServerError } from "../errors.ts";
import { isAbortReason, onAbort, untilAborted } from "../internal/abort.ts";
import { invalid } from "../internal/arguments.ts";
import { unobserved } from "../internal/deferred.ts";
import type { ParamsOf } from "../protocol/methods.ts";
import { toNativePath } from "../protocol/path-uri.ts";
import type { CallOptions } from "../rpc/call.ts";
import { failureOfCall } from "../rpc/errors.ts";
import type { RpcPeer } from "../rpc/peer.ts";
import { type ProcessRouter, processRouter } from "./events.ts";
import { launch } from "./launcher/launch.ts";
import type { LaunchReport } from "./launcher/report.ts";
import { outputLimits, processOperation, type StartOptions, startParams } from "./options.ts";
import { ProcessOutput } from "./output.ts";
import { ExecProcess } from "./process.ts";
import { run } from "./run.ts";
import { type Attempt, launchFailure, type Subject, startFailure } from "./start-failure.ts";
import { ProcessState } from "./state.ts";
import { ProcessStdin } from "./stdin.ts";
import { DEFAULT_SIZE, resizeTerminal, type TerminalSize, unsupported } from "./tty.ts";

/** What the server reported about its machine in the handshake. */
export interface ProcessHost {
  readonly sessionId: string;
  /** The server's working directory as a path URI. */
  readonly cwd: string | undefined;
  readonly isPosix: boolean;
}

/** Milliseconds that a failed start waits to learn whether its working directory exists. */
const EXPLANATION_TIMEOUT_MS = 2_000;

/** The processes of one connection. */
export class Processes {
  readonly #rpc: RpcPeer;
  readonly #host: ProcessHost;
  readonly #router: ProcessRouter;

  constructor(rpc: RpcPeer, host: ProcessHost) {
    this.#rpc = rpc;
    this.#host = host;
    this.#router = processRouter(rpc);
  }

  /** Number of processes that have not been closed. */
  get size(): number {
    return this.#router.size;
  }

  /**
   * @param options Checked by `checkStart`.
   * @param urgent Whether the request precedes ordinary ones.
   */
  async start(argv: readonly string[], options: StartOptions = {}, urgent = false): Promise<ExecProcess> {
    const { signal } = options;
    signal?.throwIfAborted();
    const params = startParams(argv, options, this.#host.cwd);
    const { processId } = params;
    const size = this.#launchSize(options);
    if (size) params.argv = launch(params, size);

    const { budget, policy } = outputLimits(options);
    const takesInput = params.tty || params.pipeStdin;
    const state = new ProcessState({
      output: new ProcessOutput(budget, policy),
      stdin: new ProcessStdin(
        this.#rpc,
        processId,
        takesInput ? undefined : 'the process was started without stdin: "pipe"',
      ),
      hasLauncher: size !== undefined,
    });
    if (this.#router.has(processId)) {
      return invalid("processId must be unique in the session, got the id of another process");
    }
    // Before the request: events can arrive before its response.
    state.release = this.#router.add(processId, state);
    const attempt = { argv, cwd: toNativePath(params.cwd), sessionId: this.#host.sessionId };
    try {
      const call = { signal, untilSent: true, urgent };
      await untilAborted(this.#request(params, attempt, call), signal, () => this.#abandon(processId));
    } catch (error) {
      state.release();
      throw error;
    }
    const device = size && (await this.#terminalDevice(processId, state, attempt, signal));
    const process = new ExecProcess({
      processId,
      sessionId: this.#host.sessionId,
      operation: processOperation("start", argv, options),
      rpc: this.#rpc,
      state,
      setSize:
        device === undefined
          ? undefined
          : async (size) => {
              await run((...stty) => this.start(...stty, true), resizeTerminal(device, size), { cwd: "/" });
            },
    });
    if (signal) this.#limitLife(process, state, signal);
    return process;
  }

  async #request(params: ParamsOf<"process/start">, attempt: Attempt, options: CallOptions): Promise<void> {
    try {
      await this.#rpc.call("process/start", params, options);
    } catch (error) {
      if (isAbortReason(error, options.signal)) throw error;
      // The response is malformed, so the process may be running.
      if (error instanceof ProtocolError) this.#abandon(params.processId);
      // With a launcher it is the shell that could not be started.
      if (!(error instanceof ServerError) || params.argv !== attempt.argv) throw error;
      throw startFailure(error, attempt, await this.#subjectOf(error, params.cwd));
    }
  }

  /** Whether a start failed because of its program or its directory: the server's error is the same for both. */
  async #subjectOf({ kind }: ServerError, path: string): Promise<Subject> {
    if (kind !== "not-found" && kind !== "not-a-directory") return undefined;
    try {
      const options = { timeoutMs: EXPLANATION_TIMEOUT_MS };
      const { isDirectory } = await this.#rpc.call("fs/getMetadata", { path, sandbox: null }, options);
      return isDirectory ? "program" : "cwd";
    } catch (error) {
      return error instanceof ServerError && error.kind === kind ? "cwd" : undefined;
    }
  }

  /** The size of a terminal that the launcher starts; undefined if the server starts the program itself. */
  #launchSize({ tty, arg0 }: StartOptions): TerminalSize | undefined {
    if (!tty) return undefined;
    // With a terminal, server 0.169.0 runs the program that arg0 names.
    if (arg0 !== undefined) throw unsupported("arg0 can't be combined with tty");
    if (this.#host.isPosix) return tty === true ? DEFAULT_SIZE : tty;
    if (tty === true) return undefined;
    throw unsupported("A terminal size requires a POSIX server: pass tty: true");
  }

  async #terminalDevice(
    processId: string,
    state: ProcessState,
    attempt: Attempt,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    let report: LaunchReport;
    try {
      report = await untilAborted(state.launched, signal);
    } catch (error) {
      state.release();
      const isAborted = isAbortReason(error, signal);
      const isLost = error instanceof DisconnectedError || error instanceof ClosedError;
      if (isLost && !isAborted) throw failureOfCall(error, "answered");
      this.#abandon(processId);
      throw error;
    }
    if (report.type === "started") return report.device;
    // The launcher has exited.
    state.release();
    throw launchFailure(report, attempt);
  }

  /** Terminates the process when the signal aborts, until the process exits or its connection ends. */
  #limitLife(process: ExecProcess, state: ProcessState, signal: AbortSignal): void {
    const terminate = (): void => {
      void unobserved(process.terminate());
    };
    const cancel = onAbort(signal, terminate);
    state.exited.then(cancel, cancel);
    // It may have aborted after the response, before this turn.
    if (signal.aborted) terminate();
  }

  /** Terminates a process whose handle the caller never receives. */
  #abandon(processId: string): void {
    void unobserved(this.#rpc.call("process/terminate", { processId }, { urgent: true }));
  }
}
