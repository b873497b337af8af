import { ClosedError, DisconnectedError, ProtocolError, ServerError } from "../errors.ts";
import { isAbortReason, untilAborted } from "../internal/abort.ts";
import { invalid } from "../internal/arguments.ts";
import { unobserved } from "../internal/deferred.ts";
import { RPC_INTERNAL_ERROR } from "../protocol/json-rpc.ts";
import type { ParamsOf } from "../protocol/methods.ts";
import { failureOfCall } from "../rpc/errors.ts";
import type { RpcPeer } from "../rpc/peer.ts";
import { type ProcessRouter, processRouter } from "./events.ts";
import { outputLimits, type StartOptions, startParams } from "./options.ts";
import { ProcessOutput } from "./output.ts";
import { ExecProcess } from "./process.ts";
import { run } from "./run.ts";
import { ProcessState } from "./state.ts";
import { ProcessStdin } from "./stdin.ts";
import { checkSize, DEFAULT_SIZE, resizeTerminal, startInTerminal, unsupported } from "./tty.ts";

/** What the server reported about its machine in the handshake. */
export interface ProcessHost {
  readonly sessionId: string;
  /** The server's working directory as a path URI. */
  readonly cwd: string | undefined;
  readonly isPosix: boolean;
}

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

  async start(argv: readonly string[], options: StartOptions = {}): Promise<ExecProcess> {
    const { signal } = options;
    signal?.throwIfAborted();
    const params = startParams(argv, options, this.#host.cwd);
    const { processId } = params;
    const terminal = this.#terminalSize(options);
    if (terminal) params.argv = startInTerminal(params.argv, terminal);

    const { budget, policy } = outputLimits(options);
    const takesInput = params.tty || params.pipeStdin;
    const state = new ProcessState({
      output: new ProcessOutput(budget, policy),
      stdin: new ProcessStdin(
        this.#rpc,
        processId,
        takesInput ? undefined : 'the process was started without stdin: "pipe"',
      ),
      hasPrelude: terminal !== undefined,
    });
    if (this.#router.has(processId)) {
      return invalid("processId must be unique in the session, got the id of another process");
    }
    // Before the request: events can arrive before its response.
    state.release = this.#router.add(processId, state);
    try {
      await untilAborted(this.#request(params, signal), signal, () => this.#abandon(processId));
    } catch (error) {
      state.release();
      throw error;
    }
    const device = terminal && (await this.#terminalDevice(processId, state, signal));
    return new ExecProcess({
      processId,
      sessionId: this.#host.sessionId,
      rpc: this.#rpc,
      state,
      setSize:
        device === undefined
          ? undefined
          : async (size) => {
              await run((...command) => this.start(...command), resizeTerminal(device, size), { cwd: "/" });
            },
    });
  }

  async #request(params: ParamsOf<"process/start">, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#rpc.call("process/start", params, { signal, untilSent: true });
    } catch (error) {
      // The response is malformed, so the process may be running.
      if (error instanceof ProtocolError && !isAbortReason(error, signal)) this.#abandon(params.processId);
      throw error;
    }
  }

  /** The size to start a terminal with, or undefined if the server chooses it. */
  #terminalSize({ tty, arg0 }: StartOptions): typeof DEFAULT_SIZE | undefined {
    if (!tty) return undefined;
    // With a terminal, server 0.169.0 runs the program that arg0 names.
    if (arg0 !== undefined) throw unsupported("arg0 can't be combined with tty");
    if (this.#host.isPosix) return tty === true ? DEFAULT_SIZE : checkSize(tty);
    if (tty === true) return undefined;
    throw unsupported("A terminal size requires a POSIX server: pass tty: true");
  }

  async #terminalDevice(
    processId: string,
    state: ProcessState,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    try {
      const start = await untilAborted(state.terminal, signal);
      if (start === "missing-program") throw this.#missingProgram();
      return start === "unknown" ? undefined : start.device;
    } catch (error) {
      state.release();
      const isAborted = isAbortReason(error, signal);
      const isLost = error instanceof DisconnectedError || error instanceof ClosedError;
      if (isLost && !isAborted) throw failureOfCall(error, "answered");
      // Not for a missing program: its shell has exited.
      if (isAborted || !(error instanceof ServerError)) this.#abandon(processId);
      throw error;
    }
  }

  /** Terminates a process whose handle the caller never receives. */
  #abandon(processId: string): void {
    void unobserved(this.#rpc.call("process/terminate", { processId }, { urgent: true }));
  }

  /** The error that the server sends for a start without a terminal. */
  #missingProgram(): ServerError {
    return new ServerError("The exec-server could not start the program: No such file or directory", {
      rpcCode: RPC_INTERNAL_ERROR,
      kind: "not-found",
      sessionId: this.#host.sessionId,
      delivery: "answered",
    });
  }
}
