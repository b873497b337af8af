import { type ErrorDetails, ExecServerError } from "./error.ts";

/**
 * The outcome of a finished command. The output is text or bytes, depending on the option `encoding`.
 *
 * @category Processes
 */
export interface RunResult<Output extends string | Uint8Array = string> {
  /** 0 on success; negative on Windows for NTSTATUS codes; -1 if the server does not know it. */
  readonly exitCode: number;
  /** Everything that was written to standard output, untrimmed. */
  readonly stdout: Output;
  /** Everything that was written to standard error, untrimmed. */
  readonly stderr: Output;
  /** Whether the server's sandbox denied an operation of the command. */
  readonly sandboxDenied: boolean;
}

/**
 * The command of a `run` exited with a non-zero code. The error has the whole result; its message names the program and
 * the last line of standard error.
 *
 * @example
 * import { ProcessExitError } from "exec-server-sdk";
 *
 * await client.run(["ls", "/missing"]).catch((error: unknown) => {
 *   if (!(error instanceof ProcessExitError)) throw error;
 *   console.log(error.exitCode, error.stderr);
 * });
 * @typeParam Output The output: `string`, or `Uint8Array` with `encoding: "bytes"`.
 */
export class ProcessExitError<Output extends string | Uint8Array = string | Uint8Array>
  extends ExecServerError
  implements RunResult<Output>
{
  static override readonly brand = "ProcessExitError";
  readonly code = "ERR_PROCESS_EXIT";
  /** The result that `run` resolves with if `reject` is false. */
  readonly result: RunResult<Output>;

  /** @param lastLine The last line of standard error, for the message. */
  constructor(result: RunResult<NoInfer<Output>>, details?: ErrorDetails, lastLine?: string) {
    super(`The command exited with code ${result.exitCode}${lastLine ? `: ${lastLine}` : ""}`, details);
    this.result = result as RunResult<Output>;
  }

  /** As in the result. */
  get exitCode(): number {
    return this.result.exitCode;
  }
  /** As in the result. */
  get stdout(): Output {
    return this.result.stdout;
  }
  /** As in the result. */
  get stderr(): Output {
    return this.result.stderr;
  }
  /** As in the result. */
  get sandboxDenied(): boolean {
    return this.result.sandboxDenied;
  }
}
