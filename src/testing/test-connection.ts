import { bindMembers } from "../internal/bound.ts";
import { deferred } from "../internal/deferred.ts";
import { isUint8Array } from "../internal/realms.ts";
import type { RequestId } from "../protocol/json-rpc.ts";
import type { ConnectionEnd } from "../transport/transport.ts";
import type { ChannelReceiver, ServerChannel, TestDial } from "./channel.ts";
import { INVALID_REQUEST } from "./error-codes.ts";
import { Recorder } from "./recorder.ts";
import { ServerRequests } from "./server-requests.ts";
import {
  isRequest,
  type ReceivedMessage,
  type TestMethod,
  type TestRequest,
  type TestResult,
} from "./test-messages.ts";

type Frame = string | Uint8Array;

/**
 * The server's end of one connection. A test reads what the client has sent, sends responses and notifications, and
 * injects faults. The method of a lasting fault returns the function that ends the fault.
 *
 * @example
 * await app.get();
 * const connection = await server.connection(1);
 * const thaw = connection.freeze(); // half-open: nothing is sent or read
 * const pending = app.status();
 * thaw();
 * await pending;
 * connection.close(1012, "restarting");
 * console.log(await connection.ended);
 */
export class TestConnection {
  /** The session id that `initialize` responds with, unless a handler overrides the response. */
  readonly sessionId: string;
  /** The URL, subprotocols and headers of the dial. */
  readonly dial: TestDial;
  /** @internal */
  readonly receiver: ChannelReceiver;
  readonly #channel: ServerChannel;
  readonly #onRequest: (request: TestRequest, connection: TestConnection) => void;
  readonly #messages = new Recorder<ReceivedMessage>();
  readonly #unanswered = new Set<RequestId>();
  readonly #serverRequests = new ServerRequests();
  readonly #ended = deferred<Pick<ConnectionEnd, "closeCode" | "reason">>();
  /** The frames held back, one list for each active `holdFrames()`. */
  readonly #held: Frame[][] = [];
  /** Frames that the channel still delivered after `stopReading()`. */
  readonly #unread: string[] = [];
  /** How many `stopReading()` are active. */
  #readingStops = 0;
  #isOpen = true;

  /** @internal Constructed by the server. */
  constructor(
    channel: ServerChannel,
    sessionId: string,
    dial: TestDial,
    onRequest: (request: TestRequest, connection: TestConnection) => void,
  ) {
    bindMembers(this, TestConnection);
    this.sessionId = sessionId;
    this.dial = dial;
    this.#channel = channel;
    this.#onRequest = onRequest;
    this.receiver = {
      onFrame: (frame) => (this.#readingStops > 0 ? this.#unread.push(frame) : this.#receive(frame)),
      onEnd: (end) => this.#end(end),
    };
  }

  /** Every message from the client, in order. */
  get received(): readonly ReceivedMessage[] {
    return this.#messages.all;
  }

  /** False after either side has ended the connection. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Resolves when the connection has ended, with the client's close code and reason if it sent them. */
  get ended(): Promise<Pick<ConnectionEnd, "closeCode" | "reason">> {
    return this.#ended.promise;
  }

  /**
   * Resolves with the n-th request or notification of this method, received or still to come. Rejects if the
   * connection ends before that.
   */
  request<M extends TestMethod>(method: M, n = 1): Promise<TestRequest<M>> {
    return this.#messages.find(n, (message) => message.method === method) as Promise<TestRequest<M>>;
  }

  /** Responds to a request. A request can be answered more than once, to test a duplicate response. */
  answer<M extends string>(request: TestRequest<M>, result: TestResult<M>): void {
    this.send({ id: request.id, result });
    this.#unanswered.delete(request.id);
  }

  /** Rejects a request: the client's call rejects with a `ServerError` that has `code` as its `rpcCode`. */
  refuse(request: TestRequest, code: number, message: string, data?: unknown): void {
    this.send({ error: { code, message, data }, id: request.id });
    this.#unanswered.delete(request.id);
  }

  /** Sends a notification. */
  notify(method: string, params: unknown): void {
    this.send({ method, params });
  }

  /**
   * Sends a request of the server, such as `network/policyRequest`. Resolves with the client's result; rejects if the
   * client answers with an error or the connection ends.
   */
  ask(method: string, params: unknown): Promise<unknown> {
    const { id, response } = this.#serverRequests.add();
    this.send({ id, method, params });
    return response;
  }

  /** Sends one frame: an object as JSON; a string or bytes unchanged, even if malformed or too long. */
  send(frame: object | string | Uint8Array): void {
    const raw = typeof frame === "string" || isUint8Array(frame) ? frame : JSON.stringify(frame);
    const held = this.#held.at(-1);
    if (held) held.push(raw);
    else this.#channel.send(raw);
  }

  /**
   * Sends raw bytes below the level of frames, such as half a line or a broken WebSocket frame.
   * @throws UsageError `ERR_UNSUPPORTED` in memory, which has whole frames only.
   */
  sendBytes(bytes: Uint8Array): void {
    this.#channel.sendBytes(bytes);
  }

  /** Sends everything queued, then closes the connection with this code. Over stdio the server exits with code 0. */
  close(code = 1000, reason = ""): void {
    this.#endWith(() => this.#channel.close(code, reason));
  }

  /** Sends everything queued, then ends the connection without a closing handshake, as a killed server does. */
  drop(): void {
    this.#endWith(() => this.#channel.drop());
  }

  /** Resets the connection. Data in flight can be lost. */
  reset(): void {
    this.#endWith(() => this.#channel.reset());
  }

  /**
   * Drops the connection once this many more bytes were sent. Over a WebSocket and stdio that can be in the middle of a
   * frame, and frame headers and line ends count. In memory, a frame that does not fit is lost as a whole.
   */
  dropAfterBytes(bytes: number): void {
    this.#channel.dropAfterBytes(bytes);
  }

  /** Makes the client's socket report an error, then close. Over stdio: the child closes its input, then exits. */
  failThenClose(): void {
    this.#endWith(() => this.#channel.failThenClose());
  }

  /** Makes the client's socket close, then report an error. Over stdio: the child closes its output, then exits. */
  closeThenFail(code = 1000, reason = ""): void {
    this.#endWith(() => this.#channel.closeThenFail(code, reason));
  }

  /**
   * Makes the connection half-open: nothing is sent or read any more, not even a close by the client. Returns the
   * function that delivers everything held back, in order.
   */
  freeze(): () => void {
    const release = this.holdFrames();
    const resume = this.stopReading();
    return () => {
      release();
      resume();
    };
  }

  /**
   * Stops reading, as a slow reader does: what the client sends stays queued, in the system's buffers and then in the
   * client. Returns the function that resumes reading.
   */
  stopReading(): () => void {
    if (++this.#readingStops === 1) this.#channel.pause();
    let isResumed = false;
    return () => {
      if (isResumed) return;
      isResumed = true;
      if (--this.#readingStops > 0) return;
      for (const frame of this.#unread.splice(0)) this.#receive(frame);
      this.#channel.resume();
    };
  }

  /**
   * Holds back every frame sent from now on. Returns the function that sends them. Its optional `reorder` receives the
   * frames and returns those to send: in another order, with some missing or repeated.
   */
  holdFrames(): (reorder?: (frames: (string | Uint8Array)[]) => readonly (string | Uint8Array)[]) => void {
    const frames: Frame[] = [];
    this.#held.push(frames);
    return (reorder = (all) => all) => {
      const at = this.#held.indexOf(frames);
      if (at < 0) return;
      this.#held.splice(at, 1);
      for (const frame of reorder(frames)) this.send(frame);
    };
  }

  /** @internal Whether the request has no response yet. */
  isUnanswered(request: TestRequest): boolean {
    return this.#unanswered.has(request.id);
  }

  #receive(frame: string): void {
    const message = parse(frame);
    if (!message) {
      this.send({ error: { code: INVALID_REQUEST, message: "failed to parse JSON-RPC message" }, id: -1 });
      return;
    }
    this.#messages.record(message);
    if (isRequest(message)) {
      this.#unanswered.add(message.id);
      this.#onRequest(message, this);
    } else this.#serverRequests.settle(message);
  }

  #endWith(end: () => void): void {
    end();
    this.#isOpen = false;
  }

  #end(end: Pick<ConnectionEnd, "closeCode" | "reason">): void {
    this.#isOpen = false;
    this.#ended.resolve(end);
    const error = new Error(`The connection of ${this.sessionId} has ended`);
    this.#messages.end(error);
    this.#serverRequests.end(error);
  }
}

function parse(frame: string): ReceivedMessage | undefined {
  try {
    const message: unknown = JSON.parse(frame);
    return typeof message === "object" && message !== null ? message : undefined;
  } catch {
    return undefined;
  }
}
