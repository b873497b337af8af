import { attribute, inOperation, type Operation, traceAbove } from "../internal/operation.ts";
import { checkOptions, type Rules } from "../internal/option-rules.ts";
import type { PathParams } from "../protocol/filesystem.ts";
import { shownPath, toPathUri } from "../protocol/path-uri.ts";
import { wireSandbox } from "../protocol/sandbox.ts";
import type { FileSession } from "./file-session.ts";
import { type FileOptions, HINTS } from "./options.ts";

/** Opens the session that an operation runs on. */
export type Connect = (options: { signal?: AbortSignal | undefined }) => Promise<FileSession>;

/** An operation after its checks. `connect` opens the one session that it runs on. */
export type Work<Options, Result> = (
  connect: () => Promise<FileSession>,
  path: PathParams,
  options: Options,
) => Promise<Result>;

/** Checks calls and runs them. Their errors name the operation and the path. */
export class FileCalls {
  readonly #connect: Connect;

  constructor(connect: Connect) {
    this.#connect = connect;
  }

  /** The session that a call runs on. */
  async open(call: Operation, signal: AbortSignal | undefined): Promise<FileSession> {
    const session = await this.#connect({ signal });
    call.serverVersion = session.server.version;
    session.server.need("files", `${call.operation}()`);
    return session;
  }

  /** @param destination A second path, which messages name. */
  async run<Options extends FileOptions, Result>(
    operation: string,
    path: string | URL,
    options: Options | undefined,
    rules: Rules<Options>,
    work: Work<Options, Result>,
    destination?: string | URL,
  ): Promise<Result> {
    const call = { ...operationOf(operation, path), destination: shownPath(destination) };
    return await inOperation(call, options?.signal, async () => {
      const checked = checkedPath(operation, path, options, rules);
      const { signal } = options ?? {};
      return await work(() => this.open(call, signal), checked, options ?? ({} as Options));
    });
  }

  /** The same for a stream, which is made at once. */
  stream<Options extends FileOptions, Stream>(
    operation: string,
    path: string | URL,
    options: Options | undefined,
    rules: Rules<Options>,
    make: (path: PathParams, options: Options, call: Operation) => Stream,
  ): Stream {
    const call = { ...operationOf(operation, path), trace: traceAbove(this.stream) };
    try {
      return make(checkedPath(operation, path, options, rules), options ?? ({} as Options), call);
    } catch (error) {
      attribute(error, call);
      throw error;
    }
  }
}

export const operationOf = (operation: string, path: unknown): Operation => ({
  operation,
  path: shownPath(path),
});

/** Throws a UsageError for an invalid option or path. */
function checkedPath<Options extends FileOptions>(
  operation: string,
  path: string | URL,
  options: Options | undefined,
  rules: Rules<Options>,
): PathParams {
  checkOptions(`${operation}()`, options, rules, HINTS);
  return { path: toPathUri(path, "path"), sandbox: wireSandbox(options?.sandbox) };
}
