import { ClosedError, DisconnectedError, ProtocolError } from "../errors/connection.ts";
import { ServerError } from "../errors/server.ts";
import { isAbortReason, onAbort, untilAborted } from "../internal/abort.ts";
import { invalid } from "../internal/arguments.ts";
import { unobserved } from "../internal/deferred.ts";
import type { ServerFeatures } from "../protocol/features.ts";
import type { ParamsOf } from "../protocol/methods.ts";
import { toNativePath } from "../protocol/path-uri.ts";
import type { ProcessStartParams } from "../protocol/process.ts";
import type { CallOptions } from "../rpc/call.ts";
import { failureOfCall } from "../rpc/errors.ts";
import type { RpcPeer } from "../rpc/peer.ts";
import { abandonStart } from "./abandon.ts";
import { ProcessControl } from "./control.ts";
import { type ProcessRouter, processRouter } from "./events.ts";
import { LauncherUnavailable, type LaunchPlan, launchPlan, withoutLauncher } from "./launch-plan.ts";
import { launch } from "./launcher/launch.ts";
import type { LaunchReport } from "./launcher/report.ts";
import { decisionListener, decisionTimeout } from "./network.ts";
import { outputLimits, processOperation, type StartOptions, startParams } from "./options.ts";
import { ProcessOutput } from "./output.ts";
import { ExecProcess } from "./process.ts";
import { run } from "./run.ts";
import { type Attempt, noShell, type Subject, startFailure, unlaunched } from "./start-failure.ts";
import { ProcessState } from "./state.ts";
import { ProcessStdin } from "./stdin.ts";

/** What the server reported about its machine in the handshake. */
export interface ProcessHost {
  readonly sessionId: string;
  readonly server: ServerFeatures;
}

/** Milliseconds that a failed start waits to learn whether its working directory exists. */
const EXPLANATION_TIMEOUT_MS = 2_000;

/** What the SDK itself needs of a start. */
export interface StartNeeds {
  /** The request precedes ordinary ones. */
  readonly urgent?: boolean;
  /** The end of the input can be sent, or there is no start. */
  readonly inputEnd?: boolean;
}

/** The processes of one connection. */
export class Processes {
  readonly #rpc: RpcPeer;
  readonly #host: ProcessHost;
  readonly #router: ProcessRouter;
  readonly #decisionTimeouts = new Map<string, number>();

  constructor(rpc: RpcPeer, host: ProcessHost) {
    this.#rpc = rpc;
    this.#host = host;
    this.#router = processRouter(rpc);
  }

  /** Milliseconds that the caller has for each decision about the network of a process; undefined if it has none. */
  decisionTimeoutOf(processId: string): number | undefined {
    return this.#decisionTimeouts.get(processId);
  }

  /** Number of processes that have not been closed. */
  get size(): number {
    return this.#router.size;
  }

  /**
   * @param options Checked by `checkStart`.
   * @param needs What the SDK itself needs of the start.
   */
  async start(
    argv: readonly string[],
    options: StartOptions = {},
    needs: StartNeeds = {},
  ): Promise<ExecProcess> {
    const { cwd, network, signal, tty } = options;
    signal?.throwIfAborted();
    const { server } = this.#host;
    if (cwd === undefined && !server.isKnown) await untilAborted(server.learn(), signal);
    server.need("commands", "A process");
    if (cwd === undefined) server.need("defaultCwd", "A process without cwd");
    if (network) server.need("networkPolicy", "The option network");
    if (typeof tty === "object") server.need("terminalSize", "A terminal size, other than tty: true,");
    const plan = launchPlan(options, server.isPosix, needs.inputEnd);
    try {
      return await this.#start(argv, options, plan, needs.urgent);
    } catch (error) {
      if (!(error instanceof LauncherUnavailable)) throw error;
      return await this.#start(argv, options, withoutLauncher(error.reason), needs.urgent);
    }
  }

  async #start(
    argv: readonly string[],
    options: StartOptions,
    plan: LaunchPlan,
    urgent = false,
  ): Promise<ExecProcess> {
    const { signal } = options;
    const { server } = this.#host;
    const params = startParams(argv, options, server.cwd);
    const { processId } = params;
    if (plan.setup) params.argv = launch(params, plan.setup);
    const state = this.#createState(params, options, plan);
    if (this.#router.has(processId)) {
      return invalid("processId must be unique in the session, got the id of another process");
    }
    // Before the request: events can arrive before its response.
    const removeRoute = this.#router.add(processId, state);
    if (options.network) this.#decisionTimeouts.set(processId, decisionTimeout(options.network));
    state.release = () => {
      this.#decisionTimeouts.delete(processId);
      removeRoute();
    };
    const attempt = { argv, cwd: toNativePath(params.cwd), sessionId: this.#host.sessionId };
    const requested = this.#request(params, attempt, plan, { signal, untilSent: true, urgent });
    const abandon = (): void => {
      const started = requested.catch((error: unknown) => {
        // The response is malformed, so the process may be running.
        if (isAbortReason(error, signal) || !(error instanceof ProtocolError)) throw error;
      });
      void abandonStart(this.#rpc, processId, { started, state, setup: plan.setup });
    };
    try {
      await untilAborted(requested, signal);
    } catch (error) {
      if (isAbortReason(error, signal) || error instanceof ProtocolError) abandon();
      else state.release();
      throw error;
    }
    if (plan.setup) {
      const report = await this.#launched(state, signal, abandon);
      if (report.type !== "started")
        throw unlaunched(report, attempt, plan.isOptional && options.processId === undefined);
    }
    const process = new ExecProcess({
      processId,
      sessionId: this.#host.sessionId,
      operation: { ...processOperation("start", argv, options), serverVersion: server.version },
      rpc: this.#rpc,
      state,
    });
    if (signal) this.#limitLife(process, state, signal);
    return process;
  }

  #createState(params: ProcessStartParams, options: StartOptions, plan: LaunchPlan): ProcessState {
    const { budget, policy } = outputLimits(options);
    const brakeLimit = options.overflow === "pause" ? budget : undefined;
    const control = new ProcessControl((argv) => this.#runHelper(argv), plan.noSignals, brakeLimit);
    const { brake } = control;
    const output = new ProcessOutput(budget, policy, brake && ((bytes) => brake.update(bytes)));
    const noInput =
      params.tty || params.pipeStdin ? undefined : 'the process was started without stdin: "pipe"';
    const stdin = new ProcessStdin(this.#rpc, params.processId, noInput, plan.noInputEnd, brake);
    return new ProcessState(
      { output, stdin, control, onDecision: decisionListener(options) },
      plan.setup?.type,
    );
  }

  async #runHelper(argv: readonly string[]): Promise<void> {
    await run((command, options) => this.start(command, options, { urgent: true }), argv, {
      cwd: "/",
      env: { LC_ALL: "C" },
    });
  }

  async #request(
    params: ParamsOf<"process/start">,
    attempt: Attempt,
    { setup, isOptional }: LaunchPlan,
    options: CallOptions,
  ): Promise<void> {
    try {
      await this.#rpc.call("process/start", params, options);
    } catch (error) {
      if (isAbortReason(error, options.signal)) throw error;
      if (!(error instanceof ServerError)) throw error;
      const subject = await this.#subjectOf(error, params.cwd);
      // A server before 0.141 reports every directory as missing.
      if (subject === "program" && !this.#host.server.isKnown) {
        await this.#host.server.learn();
        this.#host.server.need("commands", "A process");
      }
      if (!setup || subject === "cwd") throw startFailure(error, attempt, subject);
      // The program that could not be started is the shell.
      if (isOptional) throw new LauncherUnavailable("it requires /bin/sh");
      throw subject === "program" ? noShell(error.sessionId) : error;
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

  /** The report of the launcher. */
  async #launched(
    state: ProcessState,
    signal: AbortSignal | undefined,
    abandon: () => void,
  ): Promise<LaunchReport> {
    try {
      const report = await untilAborted(state.launched, signal);
      // Without a start the launcher has exited.
      if (report.type !== "started") state.release();
      return report;
    } catch (error) {
      abandon();
      const isAborted = isAbortReason(error, signal);
      const isLost = error instanceof DisconnectedError || error instanceof ClosedError;
      throw isLost && !isAborted ? failureOfCall(error, "answered") : error;
    }
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
}
