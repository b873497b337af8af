import { type ErrorDetails, ExecServerError, type UsageErrorCode } from "./error.ts";

/**
 * A buffer limit was exceeded. Only the owner of that buffer fails.
 *
 * @example
 * client.run(["cat", "/var/log/huge.log"], { maxBufferedBytes: 1024 }).catch((error) => {
 *   if (error.code !== "ERR_OVERFLOW") throw error;
 *   console.log(`More than ${error.limit} bytes: start() it and read its stdout`);
 * });
 */
export class OverflowError extends ExecServerError {
  static override readonly brand = "OverflowError";
  readonly code = "ERR_OVERFLOW";
  /** The limit, in bytes; in requests, if a `fetch` got no place. */
  readonly limit: number;

  constructor(
    limit: number,
    details?: ErrorDetails,
    message = `More than ${limit} bytes were waiting to be read`,
  ) {
    super(message, details);
    this.limit = limit;
  }
}

/** Details of a {@link UsageError}. */
export interface UsageErrorDetails extends ErrorDetails {
  /** The feature that the server lacks, as in `client.supports(feature)`. */
  readonly feature?: string;
  /** The first version of the server that has the feature. */
  readonly requiredVersion?: string;
}

/**
 * A call was invalid. Nothing was sent.
 *
 * @example
 * client.fs.whenAppears(["/work/package.json"]).catch((error) => {
 *   if (error.code !== "ERR_UNSUPPORTED") throw error;
 *   console.log("Needs server", error.requiredVersion, "has", error.serverVersion);
 * });
 */
export class UsageError extends ExecServerError {
  static override readonly brand = "UsageError";
  readonly code: UsageErrorCode;
  /** For `ERR_UNSUPPORTED` by the server's version: the feature, as in `client.supports(feature)`. */
  declare readonly feature?: string;
  /** The first version of the server that has the feature. */
  declare readonly requiredVersion?: string;

  constructor(code: UsageErrorCode, message: string, details?: UsageErrorDetails) {
    super(message, details);
    this.code = code;
  }
}
