import { ConnectError, ProtocolError } from "../../errors/connection.ts";
import { type ExecServerError, redactedCause, redactUrls } from "../../errors/error.ts";
import type { ConnectionEnd } from "../transport.ts";
import type { PortMessageOf } from "./messages.ts";

/** Conversions between errors and messages. Errors cross a port as plain objects, without credentials. */

type ErrorSummary = PortMessageOf<"goodbye">["error"];

/** The message that reports the end of a connection. */
export function closeMessage({ reason, closeCode, cause }: ConnectionEnd): PortMessageOf<"goodbye"> {
  return {
    type: "goodbye",
    reason: reason === undefined ? undefined : redactUrls(reason),
    closeCode,
    error: summaryOf(cause),
  };
}

export function endFromMessage({ reason, closeCode, error }: PortMessageOf<"goodbye">): ConnectionEnd {
  return {
    reason: reason ?? "the other side of the message port closed the connection",
    closeCode,
    cause: error,
  };
}

/** The message that reports a failed dial. */
export function refusedMessage(attempt: number, error: ExecServerError): PortMessageOf<"refused"> {
  const { message: reason } = error;
  if (!(error instanceof ConnectError)) return { type: "refused", attempt, reason, error: summaryOf(error) };
  const { status, closeCode, cause } = error;
  return { type: "refused", attempt, reason, status, closeCode, error: summaryOf(cause) };
}

export function errorFromMessage({
  reason,
  status,
  closeCode,
  error,
}: PortMessageOf<"refused">): ConnectError {
  return new ConnectError(reason, { phase: "dial", delivery: "not-sent", status, closeCode, cause: error });
}

/** The error of an attempt whose port closed before a connection was established. */
export function closedEarlyError({ reason, closeCode, cause }: ConnectionEnd): ExecServerError {
  // The other side is not an unreachable server, but no bridge at all.
  if (cause instanceof ProtocolError) return new ProtocolError(cause.message, { delivery: "not-sent" });
  return new ConnectError(`The message port closed before the connection was established: ${reason}`, {
    phase: "dial",
    delivery: "not-sent",
    closeCode,
    cause,
  });
}

export function unexpectedMessage(type: string): ProtocolError {
  return new ProtocolError(`Received an unexpected message on the message port: ${type}`);
}

function summaryOf(error: unknown): ErrorSummary {
  if (error === undefined) return undefined;
  const { name, code, message } = redactedCause(error) as NonNullable<ErrorSummary>;
  return { name, ...(code === undefined ? {} : { code }), message };
}
