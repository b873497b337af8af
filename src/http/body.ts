import { ProtocolError, ServerError } from "../errors.ts";
import { decodeBase64 } from "../internal/base64.ts";
import { ByteQueue } from "../internal/byte-queue.ts";
import { httpSchemas } from "../protocol/http.ts";
import { RPC_INTERNAL_ERROR } from "../protocol/json-rpc.ts";
import { type Route, Router } from "../rpc/router.ts";

interface BodyDelta {
  readonly seq: number;
  readonly chunk: Uint8Array;
  readonly done: boolean;
  readonly error: string | undefined;
}

/** The response bodies under way on one connection. */
export class Bodies {
  readonly router = new Router<string, BodyDelta>("requestId", "string", {
    "http/request/bodyDelta": (params) => {
      const { data } = httpSchemas.bodyDelta.safeParse(params);
      const chunk = data && decodeBase64(data.deltaBase64);
      return chunk && { seq: data.seq, chunk, done: data.done ?? false, error: data.error ?? undefined };
    },
  });
  #count = 0;

  /** Must be there before the request is sent: the body may overtake the response. */
  expect(budget: number, sessionId: string | undefined): Body {
    const requestId = `http-${++this.#count}`;
    const body = new Body(requestId, budget, sessionId);
    body.release = this.router.add(requestId, body);
    return body;
  }
}

/** One response body: kept within its budget for whoever reads it. */
export class Body implements Route<BodyDelta> {
  readonly requestId: string;
  readonly #queue: ByteQueue;
  readonly #sessionId: string | undefined;
  #nextSeq = 1;
  /** Ends the delivery; what still comes is nobody's. */
  release: () => void = () => {};

  constructor(requestId: string, budget: number, sessionId: string | undefined) {
    this.requestId = requestId;
    this.#queue = new ByteQueue(budget, "fail");
    this.#sessionId = sessionId;
  }

  accept({ seq, chunk, done, error }: BodyDelta): void {
    if (seq !== this.#nextSeq++) {
      this.fail(new ProtocolError(`Piece ${this.#nextSeq - 1} of a response body is missing: ${seq} came`));
    } else if (error !== undefined) {
      this.fail(
        new ServerError(`The exec-server lost the response body: ${error}`, {
          rpcCode: RPC_INTERNAL_ERROR,
          sessionId: this.#sessionId,
          delivery: "answered",
        }),
      );
    } else {
      if (chunk.length > 0) this.#queue.push({ chunk });
      if (done) this.#finish();
    }
  }

  /** The reader gets what had arrived, and then the error. */
  fail(error: Error): void {
    this.#finish(error);
  }

  /** Nobody wants the rest. */
  discard(): void {
    this.release();
    this.#queue.discard();
  }

  /** @param signal When it aborts, the stream fails at once. */
  stream(signal: AbortSignal, onOver: () => void): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          const onAbort = (): void => {
            this.discard();
            controller.error(signal.reason);
          };
          if (signal.aborted) onAbort();
          else signal.addEventListener("abort", onAbort, { once: true });
        },
        pull: async (controller) => {
          try {
            const { done, value } = await this.#queue.next();
            if (!done) return controller.enqueue(value.chunk);
            onOver();
            if (!signal.aborted) controller.close();
          } catch (error) {
            onOver();
            throw error;
          }
        },
        cancel: () => {
          onOver();
          this.discard();
        },
      },
      // What waits, waits within the budget.
      { highWaterMark: 0 },
    );
  }

  #finish(error?: Error): void {
    this.release();
    this.#queue.end(error);
  }
}
