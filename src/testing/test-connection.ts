import { deferred } from "../internal/deferred.ts";
import type { RequestId } from "../protocol/json-rpc.ts";
import type { ConnectionEnd } from "../transport/transport.ts";
import type { ChannelReceiver, ServerChannel, TestDial } from "./channel.ts";
import {
  isRequest,
  type ReceivedMessage,
  type TestMethod,
  type TestRequest,
  type TestResult,
} from "./messages.ts";
import { Arrivals } from "./recorder.ts";
import { Asks } from "./server-requests.ts";

type Frame = string | Uint8Array;

const INVALID_REQUEST = -32600;

/**
 * The server's end of one connection, for a test to play: what the client has sent, answers of one's own, and faults.
 * A fault that lasts returns the function that lifts it.
 */
export class TestConnection {
  /** The session that the handshake gives out, unless a handler of `initialize` gives out another. */
  readonly sessionId: string;
  /** What the dial told: the URL, subprotocols and headers. */
  readonly dial: TestDial;
  /** @internal */
  readonly receiver: ChannelReceiver;
  readonly #channel: ServerChannel;
  readonly #onRequest: (request: TestRequest, connection: TestConnection) => void;
  readonly #messages = new Arrivals<ReceivedMessage>();
  readonly #unanswered = new Set<RequestId>();
  readonly #asks = new Asks();
  readonly #ended = deferred<Pick<ConnectionEnd, "closeCode" | "reason">>();
  /** What is held back, by each who holds. */
  readonly #held: Frame[][] = [];
  /** What had been read before the reading stopped. */
  readonly #unread: string[] = [];
  #stops = 0;
  #isOpen = true;

  /** @internal Connections are made by the server. */
  constructor(
    channel: ServerChannel,
    sessionId: string,
    dial: TestDial,
    onRequest: (request: TestRequest, connection: TestConnection) => void,
  ) {
    this.sessionId = sessionId;
    this.dial = dial;
    this.#channel = channel;
    this.#onRequest = onRequest;
    this.receiver = {
      onFrame: (frame) => (this.#stops > 0 ? this.#unread.push(frame) : this.#receive(frame)),
      onEnd: (end) => this.#end(end),
    };
  }

  /** Everything that the client has sent, in order. */
  get received(): readonly ReceivedMessage[] {
    return this.#messages.all;
  }

  /** False once either side has ended the connection. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Resolves when the connection is over, with how the client took its leave, if it did. */
  get ended(): Promise<Pick<ConnectionEnd, "closeCode" | "reason">> {
    return this.#ended.promise;
  }

  /**
   * Resolves with the n-th request or notification of this method, past or to come. Rejects when the connection ends
   * before it.
   */
  request<M extends TestMethod>(method: M, n = 1): Promise<TestRequest<M>> {
    return this.#messages.find(n, (message) => message.method === method) as Promise<TestRequest<M>>;
  }

  /** Answers a request by hand, once or as often as a test likes. */
  answer<M extends string>(request: TestRequest<M>, result: TestResult<M>): void {
    this.#unanswered.delete(request.id);
    this.send({ id: request.id, result });
  }

  /** Rejects a request: the call fails with a ServerError of this `rpcCode`. */
  refuse(request: TestRequest, code: number, message: string, data?: unknown): void {
    this.#unanswered.delete(request.id);
    this.send({ error: { code, message, data }, id: request.id });
  }

  /** Sends a notification. */
  notify(method: string, params: unknown): void {
    this.send({ method, params });
  }

  /** Sends a request of the server's, such as `network/policyRequest`; resolves with what the client answers. */
  ask(method: string, params: unknown): Promise<unknown> {
    const { id, answer } = this.#asks.add();
    this.send({ id, method, params });
    return answer;
  }

  /** Sends one frame: an object as JSON, a text or bytes as they are, however malformed or long. */
  send(frame: object | string | Uint8Array): void {
    const raw = typeof frame === "string" || frame instanceof Uint8Array ? frame : JSON.stringify(frame);
    const holder = this.#held.at(-1);
    if (holder) holder.push(raw);
    else this.#channel.send(raw);
  }

  /**
   * Sends bytes below the level of frames: half a line, a broken WebSocket frame.
   * @throws UsageError `ERR_UNSUPPORTED` in memory, where there are only whole frames.
   */
  sendBytes(bytes: Uint8Array): void {
    this.#channel.sendBytes(bytes);
  }

  /** Ends the connection with a goodbye, behind everything that was sent. Over stdio the server exits with code 0. */
  close(code = 1000, reason = ""): void {
    this.#leave(() => this.#channel.close(code, reason));
  }

  /** The connection breaks without a goodbye, behind everything that was sent: a killed server, a pulled cable. */
  drop(): void {
    this.#leave(() => this.#channel.drop());
  }

  /** The connection is reset: what is on its way may be lost. */
  reset(): void {
    this.#leave(() => this.#channel.reset());
  }

  /**
   * The connection breaks as soon as this many more bytes have been sent. Over a WebSocket and stdio that is anywhere
   * in a frame, heads and line ends counted; in memory a frame that does not fit is lost whole.
   */
  dropAfterBytes(bytes: number): void {
    this.#channel.dropAfterBytes(bytes);
  }

  /** The client's socket reports an error, and then closes. Over stdio: it can't be written to, and then exits. */
  failThenClose(): void {
    this.#leave(() => this.#channel.failThenClose());
  }

  /** The client's socket closes, and what comes behind is an error. Over stdio: it ends its output, and then exits. */
  closeThenFail(code = 1000, reason = ""): void {
    this.#leave(() => this.#channel.closeThenFail(code, reason));
  }

  /**
   * Half-open: from now on nothing leaves and nothing arrives, the client's goodbye included, and the connection does
   * not end by itself. Returns what lets everything that has waited through, in order.
   */
  freeze(): () => void {
    const release = this.holdFrames();
    const resume = this.stopReading();
    return () => {
      release();
      resume();
    };
  }

  /** A slow reader: what the client sends stays with it, up to what the system takes. Returns what reads on. */
  stopReading(): () => void {
    if (++this.#stops === 1) this.#channel.pause();
    let isLifted = false;
    return () => {
      if (isLifted) return;
      isLifted = true;
      if (--this.#stops > 0) return;
      for (const frame of this.#unread.splice(0)) this.#receive(frame);
      this.#channel.resume();
    };
  }

  /**
   * Holds back every frame that is sent from now on. Returns what lets them go, in the order that `reorder` gives
   * them; it may also leave some out, or repeat them.
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

  /** @internal Whether nobody has answered it yet. */
  isUnanswered(request: TestRequest): boolean {
    return this.#unanswered.has(request.id);
  }

  #receive(frame: string): void {
    const message = parse(frame);
    if (!message) {
      this.send({ error: { code: INVALID_REQUEST, message: "failed to parse JSON-RPC message" }, id: -1 });
      return;
    }
    this.#messages.add(message);
    if (isRequest(message)) {
      this.#unanswered.add(message.id);
      this.#onRequest(message, this);
    } else this.#asks.settle(message);
  }

  #leave(how: () => void): void {
    how();
    this.#isOpen = false;
  }

  #end(end: Pick<ConnectionEnd, "closeCode" | "reason">): void {
    this.#isOpen = false;
    this.#ended.resolve(end);
    const error = new Error(`The connection of ${this.sessionId} has ended`);
    this.#messages.end(error);
    this.#asks.end(error);
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
