import { ProtocolError, ServerError } from "../errors.ts";
import type { Deadline } from "../internal/abort.ts";
import { ByteQueue } from "../internal/byte-queue.ts";
import type { Bytes } from "../internal/bytes.ts";
import { platformClass } from "../internal/platform.ts";
import { decoded } from "../protocol/encoded-bytes.ts";
import { httpSchemas } from "../protocol/http.ts";
import { RPC_INTERNAL_ERROR } from "../protocol/json-rpc.ts";
import { type NotificationSource, type Route, Router, reader } from "../rpc/router.ts";

interface BodyDelta {
  readonly seq: number;
  readonly chunk: Bytes;
  readonly done: boolean;
  readonly error: string | undefined;
}

const deltaSchema = /* @__PURE__ */ (() => decoded(httpSchemas.bodyDelta, "deltaBase64"))();

/** The response bodies in flight on one connection. */
export class Bodies {
  readonly #router: Router<string, BodyDelta>;
  #count = 0;

  constructor(peer: NotificationSource) {
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

  /** Registers a body. Called before the request is sent, because the body can arrive before the response. */
  expect(budget: number, sessionId: string | undefined): Body {
    return new Body(this.#router, `http-${++this.#count}`, budget, sessionId);
  }
}

/** Wraps the reason of a failure, which can be any value. */
export interface Failure {
  readonly reason: unknown;
}

/** One response body; unread bytes are kept within its budget. */
export class Body implements Route<BodyDelta> {
  readonly requestId: string;
  readonly #queue: ByteQueue;
  readonly #sessionId: string | undefined;
  readonly #removeRoute: () => void;
  #nextSeq = 1;
  #isOver = false;
  /** The deadline of the exchange. Set when the stream is created. */
  #limit: Deadline | undefined;
  /** Why the stream failed; undefined until it has failed. */
  failure: Failure | undefined;

  constructor(
    router: Router<string, BodyDelta>,
    requestId: string,
    budget: number,
    sessionId: string | undefined,
  ) {
    this.requestId = requestId;
    this.#queue = new ByteQueue(budget, "fail");
    this.#sessionId = sessionId;
    this.#removeRoute = router.add(requestId, this);
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
      if (chunk.length > 0) this.#queue.push({ chunk });
      if (done) this.#finish();
    }
  }

  /** The reader gets the pieces that have arrived, and then the error. */
  fail(error: Error): void {
    this.#finish(error);
  }

  /** Drops the kept and all later pieces. */
  discard(): void {
    this.#finish();
    this.#queue.discard();
  }

  /**
   * @param limit The deadline of the exchange: when it aborts, the stream fails at once. Cleared after the last piece.
   * @param signal The caller's signal. After the last piece it still ends the reading of the kept pieces.
   */
  stream(limit: Deadline, signal: AbortSignal | undefined): ReadableStream<Bytes> {
    this.#limit = limit;
    if (this.#isOver) limit.clear();
    return new (platformClass("ReadableStream"))<Bytes>(
      {
        start: (controller) => {
          const onAbort = (): void => {
            this.failure ??= { reason: limit.signal.reason };
            controller.error(limit.signal.reason);
            this.discard();
          };
          limit.signal.addEventListener("abort", onAbort, { once: true });
        },
        pull: async (controller) => {
          try {
            signal?.throwIfAborted();
            const { done, value } = await this.#queue.next();
            if (limit.signal.aborted) return;
            if (done) controller.close();
            else controller.enqueue(value.chunk);
          } catch (error) {
            this.failure ??= { reason: error };
            this.discard();
            throw error;
          }
        },
        cancel: () => this.discard(),
      },
      // No chunk is pulled before a read: unread bytes stay within the budget.
      { highWaterMark: 0 },
    );
  }

  #finish(error?: Error): void {
    this.#isOver = true;
    this.#removeRoute();
    this.#limit?.clear();
    this.#queue.end(error);
  }
}
