import { ClosedError, DisconnectedError, ProtocolError } from "../errors/connection.ts";
import { ServerError } from "../errors/server.ts";
import { type Deadline, isAbortReason } from "../internal/abort.ts";
import { ByteQueue } from "../internal/byte-queue.ts";
import { byteStream } from "../internal/byte-stream.ts";
import type { Bytes } from "../internal/bytes.ts";
import { attribute } from "../internal/operation.ts";
import { decoded } from "../protocol/encoded-bytes.ts";
import { httpSchemas } from "../protocol/http.ts";
import { RPC_INTERNAL_ERROR } from "../protocol/json-rpc.ts";
import type { Channel } from "../rpc/channel.ts";
import { type NotificationSource, type Route, Router, reader } from "../rpc/router.ts";

interface BodyDelta {
  readonly seq: number;
  readonly chunk: Bytes;
  readonly done: boolean;
  readonly error: string | undefined;
}

const deltaSchema = /* @__PURE__ */ (() => decoded(httpSchemas.bodyDelta, "deltaBase64"))();

/** What an own connection of `fetch` does for its exchanges. */
export interface OwnConnection {
  readonly queuedHttpRequests: number;
  readonly sessionId: string | undefined;
  readonly channel: Pick<Channel, "canPause" | "setPaused">;
  disconnect(failure: DisconnectedError): Promise<void>;
}

/** More unread bytes than this pause an own connection; half of it continues it. */
const MAX_UNREAD = 1024 * 1024;

/** The exchanges in flight on one connection, by their response bodies. */
export class Bodies {
  readonly #router: Router<string, BodyDelta>;
  readonly #own: OwnConnection | undefined;
  #count = 0;
  #hasAbandoned = false;
  #isAbandoned = false;

  /** @param own Set for a connection that only `fetch` uses. */
  constructor(peer: NotificationSource, own?: OwnConnection) {
    this.#own = own;
    this.#router = new Router<string, BodyDelta>(peer, "requestId", "string", {
      "http/request/bodyDelta": reader(deltaSchema, ({ seq, deltaBase64: chunk, done, error }) => ({
        seq,
        chunk,
        done: done ?? false,
        error: error ?? undefined,
      })),
    });
  }

  /** Number of bodies that have not ended. */
  get size(): number {
    return this.#router.size;
  }

  /** Whether the connection was ended because all exchanges on it were abandoned. A request that was not sent may move. */
  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  /** Whether the only exchange is held back by pausing the connection instead of by its budget. */
  get canHoldBack(): boolean {
    return this.#own?.channel.canPause === true && this.size === 1;
  }

  /** Registers a body. Called before the request is sent, because the body can arrive before the response. */
  expect(budget: number, sessionId: string | undefined): Body {
    const body = new Body(this, `http-${++this.#count}`, budget, sessionId);
    // From here on, unread bytes of another body count against its budget.
    if (this.size > 1) this.#own?.channel.setPaused(false);
    return body;
  }

  /** @internal */
  add(id: string, body: Body): () => void {
    return this.#router.add(id, body);
  }

  /** The number of unread bytes of a body has changed. */
  onUnread({ unread, budget }: Pick<Body, "unread" | "budget">): void {
    if (!this.canHoldBack) return;
    const limit = Math.min(MAX_UNREAD, budget);
    if (unread > limit) this.#own?.channel.setPaused(true);
    else if (unread <= limit / 2) this.#own?.channel.setPaused(false);
  }

  /**
   * A body has ended. An own connection whose remaining requests were all abandoned is closed: that ends them on the
   * server, too.
   */
  onEnd(isAbandoned: boolean): void {
    const own = this.#own;
    if (!own || this.#isAbandoned) return;
    this.#hasAbandoned ||= isAbandoned;
    if (this.size === 0) own.channel.setPaused(false);
    // Queued requests wait for the places of the abandoned ones.
    if (!this.#hasAbandoned || this.size > own.queuedHttpRequests) return;
    this.#isAbandoned = true;
    const { sessionId } = own;
    void own.disconnect(new DisconnectedError("every fetch on it was aborted or cancelled", { sessionId }));
  }
}

/** Wraps the reason of a failure, which can be any value. */
export interface Failure {
  readonly reason: unknown;
}

/** One response body; unread bytes are kept within its budget. */
export class Body implements Route<BodyDelta> {
  readonly requestId: string;
  readonly budget: number;
  readonly #bodies: Bodies;
  readonly #queue: ByteQueue;
  readonly #sessionId: string | undefined;
  readonly #removeRoute: () => void;
  #nextSeq = 1;
  #isOver = false;
  /** The deadline of the exchange. Set when the stream is created. */
  #limit: Deadline | undefined;
  /** Why the stream failed; undefined until it has failed. */
  failure: Failure | undefined;

  constructor(bodies: Bodies, requestId: string, budget: number, sessionId: string | undefined) {
    this.requestId = requestId;
    this.budget = budget;
    this.#bodies = bodies;
    this.#queue = new ByteQueue(budget, "fail");
    this.#sessionId = sessionId;
    this.#removeRoute = bodies.add(requestId, this);
  }

  /** Number of bytes that have arrived and were not read. */
  get unread(): number {
    return this.#queue.size;
  }

  accept({ seq, chunk, done, error }: BodyDelta): void {
    const details = { sessionId: this.#sessionId, delivery: "answered" } as const;
    const expected = this.#nextSeq++;
    if (seq !== expected) {
      this.fail(
        new ProtocolError(`Piece ${expected} of a response body is missing, got piece ${seq}`, details),
      );
    } else if (error !== undefined) {
      const message = `The exec-server lost the response body: ${error}`;
      this.fail(new ServerError(message, { ...details, rpcCode: RPC_INTERNAL_ERROR }));
    } else {
      if (chunk.length > 0) this.#keep(chunk);
      if (done) this.finish();
    }
  }

  /** The reader gets the pieces that have arrived, and then the error. */
  fail(error: Error): void {
    this.#end(false, error);
  }

  /** The response is complete. The reader gets the pieces that have arrived, and then the end. */
  finish(): void {
    this.#end(false);
  }

  /** Drops the kept and all later pieces. The server may still be sending them. */
  abandon(): void {
    this.#end(true);
    this.#queue.discard();
  }

  /**
   * @param limit The deadline of the exchange: when it aborts, the stream fails at once. Cleared after the last piece.
   * @param signal The caller's signal. After the last piece it still ends the reading of the kept pieces.
   */
  stream(limit: Deadline, signal: AbortSignal | undefined): ReadableStream<Bytes> {
    this.#limit = limit;
    if (this.#isOver) limit.clear();
    const { stream, fail } = byteStream({
      next: () => this.#next(signal),
      cancel: () => this.abandon(),
    });
    limit.signal.addEventListener("abort", () => fail(this.#failReading(limit.signal.reason, signal)), {
      once: true,
    });
    return stream;
  }

  async #next(signal: AbortSignal | undefined): Promise<Bytes | undefined> {
    try {
      if (signal?.aborted) throw signal.reason;
      const { value } = await this.#queue.next();
      this.#bodies.onUnread(this);
      return value?.chunk;
    } catch (error) {
      throw this.#failReading(error, signal);
    }
  }

  #failReading(reason: unknown, signal: AbortSignal | undefined): unknown {
    this.failure ??= { reason };
    // The failure of a connection belongs to everything on it, and names no operation.
    const isOwn = !(reason instanceof DisconnectedError || reason instanceof ClosedError);
    if (isOwn && !isAbortReason(reason, signal)) attribute(reason, { operation: "fetch" });
    this.abandon();
    return reason;
  }

  #keep(chunk: Bytes): void {
    // Not before the response: it could not arrive on a paused connection.
    const canHoldBack = this.#limit !== undefined && this.#bodies.canHoldBack;
    this.#queue.push({ chunk }, canHoldBack);
    // Beyond its budget the queue ends with an error.
    if (this.#queue.hasEnded) this.#end(true);
    else if (canHoldBack) this.#bodies.onUnread(this);
  }

  /** Only the first call has an effect on the exchange. */
  #end(isAbandoned: boolean, error?: Error): void {
    this.#removeRoute();
    this.#limit?.clear();
    this.#queue.end(error);
    if (this.#isOver) return;
    this.#isOver = true;
    this.#bodies.onEnd(isAbandoned);
  }
}
