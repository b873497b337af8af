import { ClosedError, DisconnectedError, ProtocolError, ServerError, UsageError } from "../errors.ts";
import { untilAborted } from "../internal/abort.ts";
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

/** What the server told about itself at the handshake. */
export interface ProcessHost {
  readonly sessionId: string;
  /** As a path URI. */
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

  /** How many processes have not been closed. */
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
      printsTerminal: terminal !== undefined,
    });
    if (this.#router.has(processId)) {
      throw new UsageError("ERR_INVALID_ARGUMENT", "A process with this processId is already running");
    }
    // Before the request: events can be here before its answer.
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
      // The server did answer: it may well run.
      if (error instanceof ProtocolError && error !== signal?.reason) this.#abandon(params.processId);
      throw error;
    }
  }

  /** The size to start a terminal with, or undefined where it is left to the server. */
  #terminalSize({ tty, arg0 }: StartOptions): typeof DEFAULT_SIZE | undefined {
    if (!tty) return undefined;
    // In a terminal server 0.169.0 looks for a program called arg0, and runs that.
    if (arg0 !== undefined) throw unsupported("arg0 can't be set for a program in a terminal");
    if (this.#host.isPosix) return tty === true ? DEFAULT_SIZE : checkSize(tty);
    if (tty === true) return undefined;
    throw unsupported("A terminal's size can be set on a POSIX server only: pass tty: true");
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
      // The reason of an abort may be an error of the SDK, too, but tells nothing of this connection.
      const isReason = error === signal?.reason;
      const isLost = error instanceof DisconnectedError || error instanceof ClosedError;
      if (isLost && !isReason) throw failureOfCall(error, "answered");
      // Nobody will get hold of it. A missing program has ended by itself.
      if (isReason || !(error instanceof ServerError)) this.#abandon(processId);
      throw error;
    }
  }

  /** Nobody will ever hold this process: it must not go on. */
  #abandon(processId: string): void {
    void unobserved(this.#rpc.call("process/terminate", { processId }, { urgent: true }));
  }

  /** The answer the server gives without a terminal. */
  #missingProgram(): ServerError {
    return new ServerError("The exec-server could not start the program: No such file or directory", {
      rpcCode: RPC_INTERNAL_ERROR,
      kind: "not-found",
      sessionId: this.#host.sessionId,
      delivery: "answered",
    });
  }
}
