import {
  ClosedError,
  type Delivery,
  DisconnectedError,
  ProtocolError,
  TimeoutError,
  UsageError,
} from "../errors.ts";
import { exceedsUtf8Bytes } from "../internal/bytes.ts";
import { deadline } from "../internal/deadline.ts";
import { deferred } from "../internal/deferred.ts";
import {
  type IncomingMessage,
  parseMessage,
  type RequestId,
  RPC_METHOD_NOT_FOUND,
} from "../protocol/json-rpc.ts";
import { type MethodName, methods, type ParamsOf, type ResultOf } from "../protocol/methods.ts";
import { type Connection, type ConnectionEnd, MAX_INCOMING_FRAME } from "../transport/transport.ts";
import { type ConnectionFailure, failureOfCall } from "./failure.ts";
import { serverError } from "./server-error.ts";
import { RequestWindow } from "./window.ts";

export interface CallOptions<Result = unknown> {
  /** Ends the wait with the signal's reason; the request itself can't be taken back once it is sent. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the wait ends with a TimeoutError. @default none */
  readonly timeoutMs?: number | undefined;
  /** For cleanup: does not queue behind ordinary requests. */
  readonly urgent?: boolean;
  /** Gets a result that arrived after the wait had ended, so that what it stands for can be released. */
  readonly onLateResult?: (result: Result) => void;
}

export interface PeerHandlers {
  /** Throws a ProtocolError for data it can't attribute to anyone: that ends the connection. */
  onNotification(method: string, params: unknown): void;
  /** Called once, after every pending request has been rejected. */
  onEnd(failure: ConnectionFailure): void;
}

interface PendingCall {
  readonly accept: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** The server closes the connection on a frame above 16 MiB (measured); the rest is a margin. */
export const MAX_OUTGOING_FRAME = 15 * 1024 * 1024;

/**
 * The JSON-RPC side of one connection: pairs requests with answers, passes notifications on in order, and when the
 * connection ends settles everything once with one and the same failure.
 */
export class RpcPeer {
  readonly #connection: Connection;
  readonly #handlers: PeerHandlers;
  readonly #window = new RequestWindow();
  readonly #pending = new Map<RequestId, PendingCall>();
  readonly #ended = deferred<ConnectionFailure>();
  #failure: ConnectionFailure | undefined;
  #nextId = 1;
  /** Known after the handshake; errors carry it. */
  sessionId: string | undefined;

  constructor(connection: Connection, handlers: PeerHandlers) {
    this.#connection = connection;
    this.#handlers = handlers;
    connection.start({
      onFrame: (frame) => this.#receive(frame),
      onEnd: (end) => this.#end(this.#disconnected(end)),
    });
  }

  /** Set once: why the connection is over. */
  get failure(): ConnectionFailure | undefined {
    return this.#failure;
  }

  /** True as soon as nothing can be sent, which may be before the last frames have been handled and `failure` is set. */
  get isDisconnected(): boolean {
    return this.#failure !== undefined || !this.#connection.isOpen;
  }

  /** Resolves with the failure when the connection is over. */
  get ended(): Promise<ConnectionFailure> {
    return this.#ended.promise;
  }

  /**
   * Sends a request and waits for its answer.
   *
   * Rejects with ServerError, ProtocolError (the answer has the wrong shape), DisconnectedError, ClosedError,
   * TimeoutError, UsageError `ERR_TOO_LARGE`, or the signal's reason.
   */
  call<M extends MethodName>(
    method: M,
    params: ParamsOf<M>,
    options: CallOptions<ResultOf<M>> = {},
  ): Promise<ResultOf<M>> {
    return new Promise((resolve, reject) => {
      let delivery: Delivery = "not-sent";
      let waiting = true;
      const settle = (deliver: () => void): void => {
        waiting = false;
        stopWaiting();
        deliver();
      };
      const stopWaiting = this.#limitWait(
        options,
        () => delivery,
        (reason) => {
          if (waiting) settle(() => reject(reason));
        },
      );
      const fail = (error: unknown): void => {
        if (waiting) settle(() => reject(error));
      };
      const accept = (value: unknown): void => {
        const result = methods[method].result.safeParse(value);
        if (!result.success) fail(this.#wrongResult(method));
        else if (waiting) settle(() => resolve(result.data as ResultOf<M>));
        else options.onLateResult?.(result.data as ResultOf<M>);
      };
      this.#window.enter(() => {
        if (!waiting) return false;
        if (this.isDisconnected) {
          // The socket may have closed before its end was told; everyone shall get the same account of it.
          if (this.#failure) fail(failureOfCall(this.#failure, "not-sent"));
          else void this.ended.then((failure) => fail(failureOfCall(failure, "not-sent")));
          return false;
        }
        const frame = JSON.stringify({ id: this.#nextId, method, params });
        if (exceedsUtf8Bytes(frame, MAX_OUTGOING_FRAME)) {
          fail(this.#tooLarge(method));
          return false;
        }
        delivery = "unknown";
        this.#pending.set(this.#nextId++, { accept, reject: fail });
        this.#connection.send(frame);
        return true;
      }, options.urgent ?? false);
    });
  }

  notify(method: string, params: unknown): void {
    if (!this.isDisconnected) this.#connection.send(JSON.stringify({ method, params }));
  }

  /** Ends the connection with the failure given, unless it is over already. */
  async close(failure: ConnectionFailure = new ClosedError({ sessionId: this.sessionId })): Promise<void> {
    this.#end(failure);
    await this.#connection.close();
  }

  /** Returns what stops limiting. Nothing is set up for a call without limits. */
  #limitWait(
    options: CallOptions<never>,
    delivery: () => Delivery,
    onLimit: (reason: unknown) => void,
  ): () => void {
    const { signal, timeoutMs: ms } = options;
    if (!signal && ms === undefined) return () => {};
    const limit = deadline({
      ms,
      signal,
      timeoutError: () =>
        new TimeoutError("ERR_TIMEOUT", `No answer within ${ms} ms`, {
          sessionId: this.sessionId,
          delivery: delivery(),
        }),
    });
    const onAbort = (): void => onLimit(limit.signal.reason);
    if (limit.signal.aborted) onAbort();
    else limit.signal.addEventListener("abort", onAbort, { once: true });
    return () => limit.clear();
  }

  #receive(frame: string | Uint8Array): void {
    if (this.#failure) return;
    try {
      if (frame.length > MAX_INCOMING_FRAME) throw new ProtocolError("The server sent an oversized frame");
      this.#dispatch(parseMessage(frame));
    } catch (cause) {
      // Nobody can tell what was lost with this frame, so nothing on this connection can be trusted any more.
      const reason = cause instanceof ProtocolError ? cause.message : "a message could not be handled";
      void this.close(new DisconnectedError(reason, { sessionId: this.sessionId, cause }));
    }
  }

  #dispatch(message: IncomingMessage): void {
    switch (message.type) {
      case "notification":
        this.#handlers.onNotification(message.method, message.params);
        return;
      case "request":
        this.#answer(message.id, message.method);
        return;
      case "result":
        this.#takePending(message.id)?.accept(message.result);
        return;
      case "error":
        this.#takePending(message.id)?.reject(serverError(message.error, this.sessionId));
        return;
      case "malformed-response":
        this.#takePending(message.id)?.reject(this.#wrongResult("a request"));
    }
  }

  /** An answer to nothing that is pending is ignored. */
  #takePending(id: RequestId): PendingCall | undefined {
    const call = this.#pending.get(id);
    if (!call) return undefined;
    this.#pending.delete(id);
    this.#window.leave();
    return call;
  }

  #answer(id: RequestId, method: string): void {
    // A denial is what the server assumes of a client that decides nothing.
    const answer =
      method === "network/policyRequest"
        ? { result: { decision: { type: "deny", reason: "not_allowed" } } }
        : { error: { code: RPC_METHOD_NOT_FOUND, message: "The client does not implement this method" } };
    if (!this.isDisconnected) this.#connection.send(JSON.stringify({ id, ...answer }));
  }

  #end(failure: ConnectionFailure): void {
    if (this.#failure) return;
    this.#failure = failure;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const call of pending) call.reject(failureOfCall(failure, "unknown"));
    this.#window.flush();
    this.#handlers.onEnd(failure);
    this.#ended.resolve(failure);
  }

  #disconnected({ reason = "the connection was lost", closeCode, cause }: ConnectionEnd): DisconnectedError {
    return new DisconnectedError(reason, { sessionId: this.sessionId, closeCode, cause });
  }

  #wrongResult(method: string): ProtocolError {
    return new ProtocolError(`The server's answer to ${method} has the wrong shape`, {
      sessionId: this.sessionId,
      delivery: "answered",
    });
  }

  #tooLarge(method: string): UsageError {
    return new UsageError(
      "ERR_TOO_LARGE",
      `A ${method} request must stay below ${MAX_OUTGOING_FRAME} bytes`,
      {
        sessionId: this.sessionId,
        delivery: "not-sent",
      },
    );
  }
}
