/** A CommonJS library, which knows the package by its CommonJS declarations. */
import type * as sdk from "exec-server-sdk";
import type { Gateway } from "exec-server-sdk/gateway";

type Take<T> = (value: T) => void;

export interface Library {
  readonly environment: Take<sdk.ExecEnvironment>;
  readonly lazyClient: Take<sdk.LazyExecServerClient>;
  readonly client: Take<sdk.ExecServerClient>;
  readonly process: Take<sdk.ExecProcess>;
  readonly transport: Take<sdk.Transport>;
  readonly error: Take<sdk.ExecServerError>;
  readonly serverError: Take<sdk.ServerError>;
  readonly gateway: Take<Gateway>;
  readonly ownTransport: sdk.Transport;
}
