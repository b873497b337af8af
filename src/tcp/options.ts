import {
  anAbortSignal,
  anObject,
  checkArgument,
  checkOptions,
  integer,
  type Rule,
  type Rules,
} from "../internal/option-rules.ts";

/** Where `connectTcp` connects to. */
export interface TcpTarget {
  /** From 1 to 65535. */
  readonly port: number;
  /** A host name or an IP address, as the server's machine sees it. @default "127.0.0.1" */
  readonly host?: string | undefined;
  /**
   * Limits the whole life of the connection: until it is established, its promise rejects with the signal's reason;
   * afterwards the connection is reset, and its streams and `closed` fail with the reason. @default none
   */
  readonly signal?: AbortSignal | undefined;
}

/** Tools read more than a name from other characters. */
export const aHost: Rule = (value) =>
  typeof value === "string" && /^[\w:][\w.:%-]*$/.test(value) ? undefined : "a host name or an IP address";

export const aPort = /* @__PURE__ */ integer(1, 65_535);

const TARGET_RULES: Rules<TcpTarget> = { port: aPort, host: aHost, signal: anAbortSignal };

/** Throws a UsageError `ERR_INVALID_ARGUMENT` unless the target is right. */
export function checkTarget(target: TcpTarget): void {
  checkArgument("connectTcp(): target", target, anObject);
  checkOptions("connectTcp()", target, TARGET_RULES);
  checkArgument("connectTcp(): port", target.port, aPort);
}
