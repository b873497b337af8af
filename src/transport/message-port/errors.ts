import {
  ConnectError,
  type ExecServerError,
  ProtocolError,
  redactedCause,
  redactUrls,
} from "../../errors.ts";
import type { ConnectionEnd } from "../transport.ts";
import type { PortMessageOf } from "./messages.ts";

/** Errors on their way over a message port, where they cross as plain objects and without anything secret. */

type ErrorSummary = PortMessageOf<"goodbye">["error"];

/** How a connection's end is told to the other side. */
export function farewellOf({ reason, closeCode, cause }: ConnectionEnd): PortMessageOf<"goodbye"> {
  return {
    type: "goodbye",
    reason: reason === undefined ? undefined : redactUrls(reason),
    closeCode,
    error: summaryOf(cause),
  };
}

export function endOf({ reason, closeCode, error }: PortMessageOf<"goodbye">): ConnectionEnd {
  return { reason: reason ?? "the other side of the message port left", closeCode, cause: error };
}

/** Why there is no connection, as the other side is told. */
export function refusalOf(attempt: number, error: ExecServerError): PortMessageOf<"refused"> {
  const { message: reason } = error;
  if (!(error instanceof ConnectError)) return { type: "refused", attempt, reason, error: summaryOf(error) };
  const { status, closeCode, cause } = error;
  return { type: "refused", attempt, reason, status, closeCode, error: summaryOf(cause) };
}

export function refusedError({ reason, status, closeCode, error }: PortMessageOf<"refused">): ConnectError {
  return new ConnectError(reason, { phase: "dial", delivery: "not-sent", status, closeCode, cause: error });
}

/** For a port that ended before there was a connection. */
export function endedError({ reason, closeCode, cause }: ConnectionEnd): ExecServerError {
  // Not a server that can't be reached, but something that is none.
  if (cause instanceof ProtocolError) return new ProtocolError(cause.message, { delivery: "not-sent" });
  return new ConnectError(`The message port ended before there was a connection: ${reason}`, {
    phase: "dial",
    delivery: "not-sent",
    closeCode,
    cause,
  });
}

export function outOfPlace(type: string): ProtocolError {
  return new ProtocolError(`A message on the message port is out of place: ${type}`);
}

function summaryOf(error: unknown): ErrorSummary {
  if (error === undefined) return undefined;
  const { name, code, message } = redactedCause(error) as NonNullable<ErrorSummary>;
  return { name, ...(code === undefined ? {} : { code }), message };
}
