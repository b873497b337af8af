import { ClosedError, DisconnectedError, ProtocolError } from "../errors.ts";
import { encodeBase64 } from "../internal/base64.ts";
import { deferred } from "../internal/deferred.ts";
import { settledWithin } from "../internal/timer.ts";
import {
  answeredId,
  type IncomingMessage,
  parseMessage,
  type RequestId,
  RPC_METHOD_NOT_FOUND,
} from "../protocol/json-rpc.ts";
import {
  type MethodName,
  methods,
  type ParamsOf,
  type ResultOf,
  type ResultSchema,
} from "../protocol/methods.ts";
import { type Connection, type ConnectionEnd, MAX_INCOMING_FRAME } from "../transport/transport.ts";
import { Call, type CallOptions } from "./call.ts";
import { type ConnectionFailure, failureOfCall, serverError } from "./errors.ts";
import { type RequestFrame, requestFrame, type TraceContext } from "./request-frame.ts";
import { RequestWindow } from "./window.ts";

export interface PeerHandlers {
  /** Does what `onNotification` would do, if it can tell without parsing the frame. Returns whether it could. */
  onFrame?(frame: string | Uint8Array): boolean;
  /** Throws a ProtocolError for data it can't attribute to anyone: that ends the connection. */
  onNotification(method: string, params: unknown): void;
  /** Answers a request of the server's; undefined for a method it does not know. Must not reject. */
  onRequest(method: string, params: unknown): Promise<unknown> | undefined;
  /** Called once, after every pending request has been rejected. */
  onEnd(failure: ConnectionFailure, ending: Ending): void;
  /** Sent along with each request. */
  trace?: (() => TraceContext | undefined) | undefined;
}

/** How a connection ended, for the record. */
export interface Ending {
  /** The server said goodbye, the connection broke without one, or this side ended it. */
  readonly closedBy: "client" | "server" | "network";
  /** The methods of the requests that had no answer. */
  readonly unanswered: readonly string[];
}

/** How long an end that shows may take to be told by itself: what is still in the pipe comes first. */
const END_GRACE_MS = 1_000;

/** A shorter frame is parsed as quickly as it is looked at. */
const MIN_UNPARSED = 96;

/** What a WebSocket reports as its close code when there was none (RFC 6455, 7.1.5). */
const BROKEN_WITHOUT_GOODBYE = 1006;

/**
 * The JSON-RPC side of one connection: pairs requests with answers, passes notifications on in order, and when the
 * connection ends settles everything once with one and the same failure.
 */
export class RpcPeer {
  readonly #connection: Connection;
  readonly #handlers: PeerHandlers;
  readonly #window = new RequestWindow<Call<never>>((call) => this.#send(call));
  readonly #pending = new Map<RequestId, Call<never>>();
  readonly #ended = deferred<ConnectionFailure>();
  #failure: ConnectionFailure | undefined;
  #nextId = 1;
  #hasAnswered = false;
  #framesReceived = 0;
  /** Known after the handshake; errors carry it. */
  sessionId: string | undefined;

  constructor(connection: Connection, handlers: PeerHandlers) {
    this.#connection = connection;
    this.#handlers = handlers;
    connection.start({
      onFrame: (frame) => this.#receive(frame),
      onEnd: (end) =>
        this.#end(this.#disconnected(end), end.closeCode === BROKEN_WITHOUT_GOODBYE ? "network" : "server"),
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

  get framesReceived(): number {
    return this.#framesReceived;
  }

  /** The requests that wait for their answer, oldest first. */
  get unanswered(): ReadonlyMap<RequestId, { readonly method: string }> {
    return this.#pending;
  }

  /** Resolves with the failure when the connection is over. */
  get ended(): Promise<ConnectionFailure> {
    return this.#ended.promise;
  }

  /**
   * For whoever finds the connection disconnected before its end was told: sees to it that the end comes, although the
   * peer may keep the socket half open. Resolves with the failure.
   */
  lost(): Promise<ConnectionFailure> {
    if (!this.#failure) void settledWithin(this.ended, END_GRACE_MS).then(() => this.#connection.close());
    return this.ended;
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
    options?: CallOptions<ResultOf<M>>,
  ): Promise<ResultOf<M>> {
    return this.request(method, params, methods[method].result as ResultSchema<ResultOf<M>>, options);
  }

  /** The same for any method; the result is taken as it comes if there is no schema for it. */
  request<Result>(
    method: string,
    params: unknown,
    schema: ResultSchema<Result> | undefined,
    options: CallOptions<Result> = {},
  ): Promise<Result> {
    if (options.signal?.aborted) return Promise.reject(options.signal.reason);
    return new Promise((resolve, reject) => {
      const call = new Call(method, params, schema, options, this.sessionId, { resolve, reject });
      // Nothing leaves the window any more once the connection has ended.
      if (this.#isTooLate(call)) return;
      this.#window.enter(call as unknown as Call<never>, options.urgent ?? false);
      if (call.delivery === "not-sent") call.keepPayload();
    });
  }

  /** Whether a sign of life can be asked for below the messages. */
  get canPing(): boolean {
    return this.#connection.ping !== undefined;
  }

  /** What has not left this process yet, as far as that is known. */
  get queuedBytes(): number {
    return this.#connection.flow?.queuedBytes ?? 0;
  }

  /** Asks for a sign of life and settles when there was one: the answer of the channel, or any answer of the server. */
  probe(): Promise<unknown> {
    return this.#connection.ping?.() ?? this.call("environment/status", null, { urgent: true });
  }

  notify(method: string, params: unknown): void {
    this.#sendMessage({ method, params });
  }

  /** Ends the connection with the failure given, unless it is over already. */
  async close(failure: ConnectionFailure = new ClosedError({ sessionId: this.sessionId })): Promise<void> {
    this.#end(failure, "client");
    await this.#connection.close();
  }

  /** Returns whether the request is on its way. */
  #send(call: Call<never>): boolean {
    if (!call.isAwaited || this.#isTooLate(call)) return false;
    const id = this.#nextId++;
    let frame: RequestFrame;
    try {
      frame = requestFrame(id, call, this.#handlers.trace?.(), this.sessionId);
    } catch (error) {
      call.fail(error);
      return false;
    }
    // Code of the user's took part in the frame (the trace, a toJSON) and may have ended anything.
    if (!call.isAwaited || this.#isTooLate(call)) return false;
    call.delivery = "unknown";
    this.#pending.set(id, call);
    this.#sendFrame(frame);
    return true;
  }

  #sendFrame(frame: RequestFrame): void {
    if (typeof frame === "string") {
      this.#connection.send(frame);
      return;
    }
    const { head, bytes, tail } = frame;
    if (this.#connection.sendPayload) this.#connection.sendPayload(head, bytes, tail);
    else this.#connection.send(head + encodeBase64(bytes) + tail);
  }

  /** Whether the connection is over; then the call is told so. */
  #isTooLate(call: Pick<Call, "fail">): boolean {
    if (!this.isDisconnected) return false;
    // The socket may have closed before its end was told; everyone shall get the same account of it.
    if (this.#failure) call.fail(failureOfCall(this.#failure, "not-sent"));
    else void this.lost().then((failure) => call.fail(failureOfCall(failure, "not-sent")));
    return true;
  }

  #receive(frame: string | Uint8Array): void {
    if (this.#failure) return;
    this.#framesReceived++;
    try {
      if (frame.length > MAX_INCOMING_FRAME) throw new ProtocolError("The server sent an oversized frame");
      if (!this.#acceptUnparsed(frame)) this.#dispatch(parseMessage(frame));
    } catch (cause) {
      // Nobody can tell what was lost with this frame, so nothing on this connection can be trusted any more.
      const reason = cause instanceof ProtocolError ? cause.message : "a message could not be handled";
      void this.close(new DisconnectedError(reason, { sessionId: this.sessionId, cause }));
    }
  }

  /** Leaves the frame to whoever can read it as it is. Returns whether anybody could. */
  #acceptUnparsed(frame: string | Uint8Array): boolean {
    if (frame.length < MIN_UNPARSED) return false;
    if (this.#handlers.onFrame?.(frame)) return true;
    const id = answeredId(frame);
    const result = id !== undefined && this.#pending.get(id)?.readFrame(frame);
    if (!result) return false;
    this.#takePending(id)?.resolve(result);
    return true;
  }

  #dispatch(message: IncomingMessage): void {
    switch (message.type) {
      case "notification":
        this.#handlers.onNotification(message.method, message.params);
        return;
      case "request":
        this.#answer(message.id, message.method, message.params);
        return;
      case "result":
        this.#takePending(message.id)?.accept(message.result);
        return;
      case "error": {
        const call = this.#takePending(message.id);
        call?.fail(serverError(message.error, call.method, this.sessionId));
        return;
      }
      case "malformed-response":
        this.#takePending(message.id)?.refuse();
    }
  }

  /** An answer to nothing that is pending is ignored. */
  #takePending(id: RequestId): Call<never> | undefined {
    const call = this.#pending.get(id);
    if (!call) return undefined;
    this.#hasAnswered = true;
    this.#pending.delete(id);
    this.#window.leave();
    return call;
  }

  #answer(id: RequestId, method: string, params: unknown): void {
    // An echo, most likely: an exec-server asks nothing before it has answered the handshake.
    if (!this.#hasAnswered) throw new ProtocolError("The other side sent a request before the handshake");
    const answer = this.#handlers.onRequest(method, params);
    if (answer !== undefined) void answer.then((result) => this.#sendMessage({ id, result }));
    else {
      const message = "The client does not implement this method";
      this.#sendMessage({ id, error: { code: RPC_METHOD_NOT_FOUND, message } });
    }
  }

  #sendMessage(message: object): void {
    if (!this.isDisconnected) this.#connection.send(JSON.stringify(message));
  }

  #end(failure: ConnectionFailure, closedBy: Ending["closedBy"]): void {
    if (this.#failure) return;
    this.#failure = failure;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const call of pending) call.fail(failureOfCall(failure, "unknown"));
    this.#window.flush();
    this.#handlers.onEnd(failure, { closedBy, unanswered: pending.map(({ method }) => method) });
    this.#ended.resolve(failure);
  }

  #disconnected({ reason = "the connection was lost", closeCode, cause }: ConnectionEnd): DisconnectedError {
    return new DisconnectedError(reason, { sessionId: this.sessionId, closeCode, cause });
  }
}
