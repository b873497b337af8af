import type { Connection, ConnectionEnd, ConnectionReceiver, FlowControl } from "../transport/transport.ts";

/** Pings without a pong after which an exec-server is considered gone. */
const MAX_UNANSWERED_PINGS = 4;

/**
 * The exec-server's connection, which can be that of a custom transport: whatever one of its methods throws ends this
 * connection only. Pings the exec-server, to detect a network that is silent.
 */
export class GuardedConnection implements Connection {
  readonly #inner: Connection;
  readonly flow: FlowControl | undefined;
  #receiver: ConnectionReceiver | undefined;
  #ended = false;
  #isPaused = false;
  #unansweredPings = 0;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  /** What the transport threw. */
  error: unknown;

  constructor(inner: Connection, heartbeatMs: number) {
    this.#inner = inner;
    this.flow = inner.flow && this.#guardedFlow(inner.flow);
    if (inner.ping) this.#startHeartbeat(inner.ping.bind(inner), heartbeatMs);
  }

  get isOpen(): boolean {
    return !this.#ended && this.#inner.isOpen;
  }

  start(receiver: ConnectionReceiver): void {
    this.#receiver = receiver;
    this.#try(() =>
      this.#inner.start({
        onFrame: (frame) => {
          this.#unansweredPings = 0;
          if (!this.#ended) receiver.onFrame(frame);
        },
        onEnd: (end) => this.#end(end),
      }),
    );
  }

  send(frame: string): void {
    if (!this.#ended) this.#try(() => this.#inner.send(frame));
  }

  async close(): Promise<void> {
    this.#end({ reason: "closed" });
    try {
      await this.#inner.close();
    } catch {
      // The connection counts as closed.
    }
  }

  #guardedFlow(flow: FlowControl): FlowControl {
    const pause = (isPaused: boolean): void => {
      this.#isPaused = isPaused;
      this.#try(() => (isPaused ? flow.pause() : flow.resume()));
    };
    const queuedBytes = (): number => {
      let bytes = 0;
      this.#try(() => {
        bytes = flow.queuedBytes;
      });
      return bytes;
    };
    return {
      pause: () => pause(true),
      resume: () => pause(false),
      get queuedBytes() {
        return queuedBytes();
      },
      drained: async () => {
        try {
          await flow.drained();
        } catch (error) {
          this.#fail(error);
        }
      },
    };
  }

  #startHeartbeat(ping: () => Promise<void>, everyMs: number): void {
    this.#heartbeat = setInterval(() => {
      // While paused, no pong is read. While a write is pending, a slow exec-server receives the ping only after it.
      if (this.#isPaused || (this.flow?.queuedBytes ?? 0) > 0) return;
      if (this.#unansweredPings === MAX_UNANSWERED_PINGS) {
        this.#fail(new Error(`The exec-server has not answered ${MAX_UNANSWERED_PINGS} pings`));
        return;
      }
      this.#unansweredPings++;
      this.#try(() => {
        void ping().then(
          () => {
            this.#unansweredPings = 0;
          },
          (error: unknown) => this.#fail(error),
        );
      });
    }, everyMs);
  }

  #try(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#ended) return;
    this.error = error;
    this.#end({ reason: "the exec-server's transport failed", cause: error });
  }

  #end(end: ConnectionEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#heartbeat);
    this.#receiver?.onEnd(end);
  }
}
