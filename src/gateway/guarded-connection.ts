import { DisconnectedError } from "../errors/connection.ts";
import type { Connection, ConnectionEnd, ConnectionReceiver, FlowControl } from "../transport/transport.ts";
import { FAULT_TEXTS, MAX_UNANSWERED_PINGS } from "./page-link.ts";

/**
 * The exec-server's connection, which can be that of a custom transport: whatever one of its methods throws ends this
 * connection only. Pings the exec-server, to detect a network that is silent.
 */
export class GuardedConnection implements Connection {
  readonly #inner: Connection;
  readonly flow: FlowControl | undefined;
  #receiver: ConnectionReceiver | undefined;
  #end: ConnectionEnd | undefined;
  #isPaused = false;
  #unansweredPings = 0;
  /** What the transport threw. */
  error: unknown;

  constructor(inner: Connection) {
    this.#inner = inner;
    this.flow = inner.flow && this.#guardedFlow(inner.flow);
  }

  get isOpen(): boolean {
    return !this.#end && this.#inner.isOpen;
  }

  start(receiver: ConnectionReceiver): void {
    this.#receiver = receiver;
    if (this.#end) receiver.onEnd(this.#end);
    else
      this.#try(() =>
        this.#inner.start({
          onFrame: (frame) => {
            this.#unansweredPings = 0;
            if (!this.#end) receiver.onFrame(frame);
          },
          onEnd: (end) => this.#finish(end),
        }),
      );
  }

  send(frame: string): void {
    if (!this.#end) this.#try(() => this.#inner.send(frame));
  }

  async close(): Promise<void> {
    this.#finish({ reason: "closed" });
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

  /** Pings the exec-server, or ends the connection when too many pings are unanswered. Without pings it does nothing. */
  beat(): void {
    // While paused, no pong is read. While a write is pending, a slow exec-server receives the ping only after it.
    if (!this.#inner.ping || this.#end || this.#isPaused || (this.flow?.queuedBytes ?? 0) > 0) return;
    if (this.#unansweredPings === MAX_UNANSWERED_PINGS) {
      this.#fail(new DisconnectedError(FAULT_TEXTS.silent));
      return;
    }
    this.#unansweredPings++;
    this.#try(() => {
      void this.#inner.ping?.().then(
        () => {
          this.#unansweredPings = 0;
        },
        (error: unknown) => this.#fail(error),
      );
    });
  }

  #try(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#end) return;
    this.error = error;
    this.#finish({ reason: "the exec-server's transport failed", cause: error });
  }

  #finish(end: ConnectionEnd): void {
    if (this.#end) return;
    this.#end = end;
    this.#receiver?.onEnd(end);
  }
}
