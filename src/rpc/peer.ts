import { ClosedError, DisconnectedError, ProtocolError } from "../errors/connection.ts";
import { markShared } from "../internal/operation.ts";
import { settledWithin } from "../internal/timer.ts";
import { decodeFrame } from "../protocol/codec.ts";
import type { Schema } from "../protocol/encoded-bytes.ts";
import { type IncomingMessage, type RequestId, RPC_METHOD_NOT_FOUND } from "../protocol/json-rpc.ts";
import { type MethodName, methods, type ParamsOf, type ResultOf } from "../protocol/methods.ts";
import { type Connection, type ConnectionEnd, MAX_INCOMING_FRAME } from "../transport/transport.ts";
import { Call, type CallOptions } from "./call.ts";
import { Channel } from "./channel.ts";
import { type Ending, EndLatch, type EndListener } from "./end-latch.ts";
import { type ConnectionFailure, failureOfCall, serverError } from "./errors.ts";
import { HttpPlaces, isHttp } from "./http-places.ts";
import type { LastRequests } from "./last-requests.ts";
import { PendingRequests } from "./pending-requests.ts";
import { type RequestFrame, requestFrame, type TraceContext } from "./request-frame.ts";
import { RequestWindow } from "./window.ts";

export interface PeerOptions {
  /** Answers a request of the server. Returns undefined for an unknown method. Must not reject. */
  onRequest(method: string, params: unknown): Promise<unknown> | undefined;
  /** Called for each request, in the turn of its call: the trace context to send with it. Must not throw. */
  trace?: (() => TraceContext | undefined) | undefined;
  /** Whether HTTP requests leave places to other calls. @default true */
  limitsHttp?: boolean | undefined;
}

/** Grace period between the socket closing and its close event, in milliseconds; buffered frames are delivered first. */
const END_GRACE_MS = 1_000;

/** The close code of a WebSocket that closed without a close frame (RFC 6455, 7.1.5). */
const ABNORMAL_CLOSURE = 1006;

/**
 * The JSON-RPC side of one connection. It matches responses to requests, passes notifications on in order, and settles
 * everything that is pending once, with one failure, when the connection ends.
 */
export class RpcPeer {
  readonly channel: Channel;
  readonly #options: PeerOptions;
  readonly #window: RequestWindow<Call<never>>;
  readonly #httpPlaces: HttpPlaces | undefined;
  readonly #pending = new PendingRequests();
  readonly #notificationListeners = new Map<string, (params: unknown) => void>();
  readonly #latch = new EndLatch();
  /** Set while this side closes the connection, if it waits for answers. */
  #lastRequests: LastRequests | undefined;
  #nextId = 1;
  #framesReceived = 0;
  /** Set by the handshake. Errors carry it. */
  sessionId: string | undefined;
  /** Set by the handshake, if the server reports it. The failure of the connection carries it. */
  serverVersion: string | undefined;

  constructor(connection: Connection, options: PeerOptions) {
    const onFailure = (cause: unknown): void => this.#break("the transport failed", cause);
    this.channel = new Channel(connection, onFailure);
    this.#options = options;
    if (options.limitsHttp ?? true) {
      this.#httpPlaces = new HttpPlaces(this.#pending, (error) => {
        for (const call of this.#window.take("http")) call.fail(error());
      });
    }
    this.#window = new RequestWindow(
      (call) => this.#send(call),
      () => this.#httpPlaces?.hasRoom ?? true,
    );
    try {
      connection.start({
        onFrame: (frame) => this.#receive(frame),
        onEnd: (end = {}) => {
          const closedBy = end.closeCode === ABNORMAL_CLOSURE ? "network" : "server";
          this.#end(this.#disconnectedError(end), end.closedBy ?? closedBy);
          this.#lastRequests?.stop();
        },
        // What is decoded has its own memory.
        releasesFrames: true,
      });
    } catch (error) {
      onFailure(error);
    }
  }

  /**
   * Sets the listener for the notifications of one method. Notifications without a listener are ignored. A listener
   * throws a ProtocolError for params that it can't attribute, which ends the connection.
   */
  onNotification(method: string, listener: (params: unknown) => void): void {
    this.#notificationListeners.set(method, listener);
  }

  /**
   * Calls the listener once when the connection has ended, after every pending call was rejected. Listeners are called
   * in the order in which they were added; at once if the connection has ended already. Returns a function that removes
   * the listener.
   */
  onEnd(listener: EndListener): () => void {
    return this.#latch.onEnd(listener);
  }

  /** Why the connection has ended; undefined while it has not. */
  get failure(): ConnectionFailure | undefined {
    return this.#latch.failure;
  }

  /** True as soon as nothing can be sent. The last frames may not have been handled, nor `failure` set. */
  get isDisconnected(): boolean {
    return this.failure !== undefined || !this.channel.isOpen;
  }

  get framesReceived(): number {
    return this.#framesReceived;
  }

  /** The requests in flight, oldest first. */
  get unanswered(): ReadonlyMap<RequestId, { readonly method: string }> {
    return this.#pending;
  }

  /** The number of HTTP requests that wait for a place. */
  get queuedHttpRequests(): number {
    return [...this.#window.queued("http")].filter(({ isPending }) => isPending).length;
  }

  /** Resolves with the failure when the connection has ended. */
  get ended(): Promise<ConnectionFailure> {
    return this.#latch.ended;
  }

  /**
   * Forces the end of a connection that is found disconnected before its close event: after a grace period, because the
   * server may keep the socket half open. Resolves with the failure.
   */
  forceEnd(): Promise<ConnectionFailure> {
    if (!this.failure) void this.#forceEnd();
    return this.ended;
  }

  /**
   * Sends a request and waits for its response.
   *
   * Rejects with ServerError, ProtocolError (the result has the wrong shape), DisconnectedError, ClosedError,
   * TimeoutError, UsageError `ERR_TOO_LARGE`, or the signal's reason.
   */
  call<M extends MethodName, Bytes extends string = never>(
    method: M,
    params: [Bytes] extends [never] ? ParamsOf<M> : Omit<ParamsOf<M>, Bytes>,
    options?: CallOptions<Bytes>,
  ): Promise<ResultOf<M>> {
    return this.request(method, params, methods[method].result as Schema<ResultOf<M>>, options);
  }

  /** Sends a request of any method. Without a schema, the result is not checked. */
  request<Result>(
    method: string,
    params: unknown,
    schema: Schema<Result> | undefined,
    options: CallOptions = {},
  ): Promise<Result> {
    const { signal } = options;
    // Read now: when the request leaves the queue, another caller's context is active.
    const trace = this.isDisconnected || signal?.aborted ? undefined : this.#options.trace?.();
    // The function that reads it may have aborted.
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const request = { method, params, trace };
      const lane = options.urgent || options.releases ? "urgent" : isHttp(request) ? "http" : "ordinary";
      const release = options.background ? undefined : this.channel.hold();
      const onSettled =
        lane === "http"
          ? () => {
              release?.();
              this.#checkHttpPlaces();
            }
          : release;
      const call = new Call(request, schema, options, this.sessionId, { resolve, reject, onSettled });
      // The window is not flushed again once the connection has ended.
      if (this.#failIfDisconnected(call)) return;
      this.#window.enter(call as unknown as Call<never>, lane);
      if (call.delivery === "not-sent") call.keepPayload();
      if (lane === "http") this.#checkHttpPlaces();
    });
  }

  /** Asks the server for a sign of life: a ping where the transport has one, else a request. Settles with the answer. */
  probe(): Promise<unknown> {
    return this.channel.ping() ?? this.call("environment/status", null, { urgent: true, background: true });
  }

  notify(method: string, params: unknown): void {
    this.#sendMessage({ method, params });
  }

  /**
   * Ends the connection with a ClosedError, unless it has ended already. Everything pending rejects now; the server has
   * a moment to answer what releases something. Takes a bounded time.
   */
  async close(): Promise<void> {
    if (!this.isDisconnected) this.#lastRequests = this.#pending.releasing();
    this.#end(new ClosedError({ sessionId: this.sessionId }), "client");
    if (this.#lastRequests) await this.#lastRequests.answered;
    await this.channel.close();
  }

  /** Ends the connection with this failure at once, unless it has ended already. */
  async disconnect(failure: ConnectionFailure): Promise<void> {
    this.#end(failure, "client");
    await this.channel.close();
  }

  /** Returns whether the request is in flight now. */
  #send(call: Call<never>): boolean {
    if (!call.isPending || this.#failIfDisconnected(call)) return false;
    const id = this.#nextId++;
    let frame: RequestFrame;
    try {
      frame = requestFrame(id, call, this.sessionId);
    } catch (error) {
      call.fail(error);
      return false;
    }
    // Encoding runs user code (toJSON), which may have aborted the call or closed the client.
    if (!call.isPending || this.#failIfDisconnected(call)) return false;
    call.delivery = "unknown";
    this.#pending.set(id, call);
    this.channel.send(frame);
    return true;
  }

  /** Fails the call if the connection has ended. Returns whether it has. */
  #failIfDisconnected(call: Pick<Call, "fail">): boolean {
    if (!this.isDisconnected) return false;
    // The socket may have closed before its close event. Wait for the event, so that all calls have the same reason.
    if (this.failure) call.fail(failureOfCall(this.failure, "not-sent"));
    else void this.forceEnd().then((failure) => call.fail(failureOfCall(failure, "not-sent")));
    return true;
  }

  #receive(frame: string | Uint8Array): void {
    if (this.failure) {
      this.#lastRequests?.receive(frame);
      return;
    }
    this.#framesReceived++;
    try {
      if (frame.length > MAX_INCOMING_FRAME) throw new ProtocolError("The server sent an oversized frame");
      this.#dispatch(decodeFrame(frame));
    } catch (cause) {
      // It is unknown which message was lost with this frame, so no other message can be trusted.
      this.#break(cause instanceof ProtocolError ? cause.message : "a message could not be handled", cause);
    }
  }

  #break(reason: string, cause: unknown): void {
    void this.disconnect(new DisconnectedError(reason, { sessionId: this.sessionId, cause }));
  }

  #dispatch(message: IncomingMessage): void {
    switch (message.type) {
      case "notification":
        this.#notificationListeners.get(message.method)?.(message.params);
        return;
      case "request":
        this.#answer(message.id, message.method, message.params);
        return;
      case "result":
        this.#leave(this.#pending.take(message.id))?.respond(message.result);
        return;
      case "error": {
        const call = this.#leave(this.#pending.takeFailed(message.id, message.error));
        call?.fail(serverError(message.error, call.method, this.sessionId));
        return;
      }
      case "malformed-response":
        this.#leave(this.#pending.takeFailed(message.id))?.failMalformed();
    }
  }

  /** Frees the place of an answered request. */
  #leave(call: Call<never> | undefined): Call<never> | undefined {
    if (!call) return undefined;
    this.#window.leave();
    // One that is pending checks when it settles.
    if (!call.isPending && isHttp(call)) this.#checkHttpPlaces();
    return call;
  }

  #checkHttpPlaces(): void {
    this.#httpPlaces?.check(() => this.queuedHttpRequests > 0);
  }

  #answer(id: RequestId, method: string, params: unknown): void {
    // An exec-server sends no request before it has answered the handshake: this is probably an echo server.
    if (!this.#pending.hasAnswered)
      throw new ProtocolError("The other side sent a request before the handshake");
    const answer = this.#options.onRequest(method, params);
    void answer?.finally(this.channel.hold());
    if (answer !== undefined) void answer.then((result) => this.#sendMessage({ id, result }));
    else {
      const message = "The client does not implement this method";
      this.#sendMessage({ id, error: { code: RPC_METHOD_NOT_FOUND, message } });
    }
  }

  #sendMessage(message: object): void {
    if (!this.isDisconnected) this.channel.send(JSON.stringify(message));
  }

  async #forceEnd(): Promise<void> {
    await settledWithin(this.ended, END_GRACE_MS);
    await this.channel.close();
    // A custom transport may never report the end of what it has closed.
    await settledWithin(this.ended, END_GRACE_MS);
    this.#end(this.#disconnectedError({}), "network");
  }

  #end(failure: ConnectionFailure, closedBy: Ending["closedBy"]): void {
    if (!this.#latch.begin(failure)) return;
    if (this.serverVersion !== undefined) Object.assign(failure, { serverVersion: this.serverVersion });
    this.channel.stopPausing();
    markShared(failure);
    const pending = this.#pending.takeAll();
    for (const call of pending) call.fail(failureOfCall(failure, "unknown"));
    this.#window.flush();
    this.#httpPlaces?.stop();
    this.#latch.complete({ closedBy, unanswered: pending.map(({ method }) => method) });
  }

  #disconnectedError({
    reason = "the connection was lost",
    closeCode,
    cause,
  }: ConnectionEnd): DisconnectedError {
    return new DisconnectedError(reason, { sessionId: this.sessionId, closeCode, cause });
  }
}
