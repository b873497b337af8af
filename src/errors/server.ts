import { type ErrorDetails, ExecServerError } from "./error.ts";

/** What a server error is about, if its code or text says so. */
export type ServerErrorKind =
  /** There is no such file, directory, program or host. */
  | "not-found"
  /** There is something at the path already. */
  | "already-exists"
  /** A file is needed, and there is a directory. */
  | "not-a-file"
  /** A directory is needed, and there is a file. */
  | "not-a-directory"
  /** The directory has entries. */
  | "not-empty"
  /** The system or the sandbox does not permit it. */
  | "permission-denied"
  /** Nothing listens on a port. */
  | "refused"
  /** There is no way to a host. */
  | "unreachable"
  /** The other side of a TCP connection has reset it. */
  | "reset"
  /** The system has waited in vain for a host. */
  | "timed-out"
  /** The server does not have the method, or can't do it on its system. */
  | "unsupported"
  /** The server does not accept the params. */
  | "invalid";

/** Details of a {@link ServerError}. */
export interface ServerErrorDetails extends ErrorDetails {
  /** The JSON-RPC error code. */
  readonly rpcCode: number;
  /** Additional data from the server. */
  readonly data?: unknown;
  /** What the error is about. */
  readonly kind?: ServerErrorKind | undefined;
  /** For a start with kind `"not-found"`: what does not exist. */
  readonly missing?: "program" | "cwd" | undefined;
}

/**
 * The server rejected the request.
 *
 * @example
 * const motd = await client.fs.readFile("/work/motd", "utf8").catch((error) => {
 *   if (error.code === "ERR_SERVER" && error.kind === "not-found") return "";
 *   throw error;
 * });
 */
export class ServerError extends ExecServerError {
  static override readonly brand = "ServerError";
  readonly code = "ERR_SERVER";
  /** The JSON-RPC error code, for example -32602 for invalid params. */
  declare readonly rpcCode: number;
  /** Additional data from the server. */
  declare readonly data?: unknown;
  /** What the error is about. Missing if neither its code nor its text says so. */
  declare readonly kind?: ServerErrorKind;
  /** For a start with kind `"not-found"`: what does not exist. Missing if that is unknown. */
  declare readonly missing?: "program" | "cwd";

  constructor(message: string, details: ServerErrorDetails) {
    super(message, details);
  }
}
