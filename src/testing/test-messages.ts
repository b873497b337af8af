import type { RequestId, RpcErrorObject } from "../protocol/json-rpc.ts";
import type { MethodName, ParamsOf, ResultOf } from "../protocol/methods.ts";
import type { TraceContext } from "../rpc/request-frame.ts";

/** A method that this version of the SDK knows, or any other name. */
export type TestMethod = MethodName | (string & {});

/** A message as the client sent it. */
export interface ReceivedMessage {
  /** Present in a request or a response. */
  readonly id?: RequestId;
  /** Present in a request or a notification. */
  readonly method?: string;
  /** As on the wire: paths are `file:` URIs, bytes are base64. */
  readonly params?: unknown;
  /** Present in a response to a request of the server. */
  readonly result?: unknown;
  /** Present in a response that rejects a request of the server. */
  readonly error?: RpcErrorObject;
  /** From the client's `traceContext`. */
  readonly trace?: TraceContext;
}

/** A request of the client. Its params are typed if this version of the SDK knows the method. */
export interface TestRequest<M extends string = string> extends ReceivedMessage {
  /** The id that the response must carry. */
  readonly id: RequestId;
  /** The method's name. */
  readonly method: M;
  /** As on the wire: paths are `file:` URIs, bytes are base64. */
  readonly params: M extends MethodName ? ParamsOf<M> : unknown;
}

/** The result of a request; `unknown` for a method that this version of the SDK does not know. */
export type TestResult<M extends string = string> = M extends MethodName ? ResultOf<M> : unknown;

/**
 * Returned by a handler that sends no response, or has sent one with `connection.answer()`.
 *
 * @example
 * import { silence } from "exec-server-sdk/testing";
 *
 * server.handle("environment/status", () => silence);
 * await app.status({ timeoutMs: 50 }).catch((error) => console.log(error.code)); // ERR_TIMEOUT
 */
export const silence: unique symbol = Symbol.for("exec-server-sdk.testing.silence") as never;

export function isRequest(message: ReceivedMessage): message is TestRequest {
  return message.id !== undefined && message.method !== undefined;
}
