import type { RequestId, RpcErrorObject } from "../protocol/json-rpc.ts";
import type { MethodName, ParamsOf, ResultOf } from "../protocol/methods.ts";
import type { TraceContext } from "../rpc/request-frame.ts";

/** A method of the protocol that this version knows, or any other. */
export type TestMethod = MethodName | (string & {});

/** A message as the client sent it. */
export interface ReceivedMessage {
  /** Of a request or an answer. */
  readonly id?: RequestId;
  /** Of a request or a notification. */
  readonly method?: string;
  /** As on the wire: paths are `file:` URIs, bytes base64. */
  readonly params?: unknown;
  /** Of an answer to a request of the server's. */
  readonly result?: unknown;
  /** Of a rejection of one. */
  readonly error?: RpcErrorObject;
  /** From the client's `traceContext`. */
  readonly trace?: TraceContext;
}

/** A request of the client's; its params are typed if the method is one this version knows. */
export interface TestRequest<M extends string = string> extends ReceivedMessage {
  /** What its answer must bear. */
  readonly id: RequestId;
  /** Its name. */
  readonly method: M;
  /** As on the wire: paths are `file:` URIs, bytes base64. */
  readonly params: M extends MethodName ? ParamsOf<M> : unknown;
}

/** What answers a request; anything for a method this version does not know. */
export type TestResult<M extends string = string> = M extends MethodName ? ResultOf<M> : unknown;

/** What a handler returns that gives no answer, or has given one by itself. */
export const silence: unique symbol = Symbol.for("exec-server-sdk.testing.silence") as never;

export function isRequest(message: ReceivedMessage): message is TestRequest {
  return message.id !== undefined && message.method !== undefined;
}
