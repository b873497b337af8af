import {
  type Connection,
  type ConnectionEnd,
  type ConnectionReceiver,
  closed,
  type FlowControl,
} from "./transport.ts";

/**
 * An exec-server's connection, which can be that of a custom transport: whatever one of its methods throws ends this
 * connection only.
 */
export class GuardedConnection implements Connection {
  readonly #inner: Connection;
  readonly flow: FlowControl | undefined;
  #receiver: ConnectionReceiver | undefined;
  #end: ConnectionEnd | undefined;
  isPaused = false;
  /** What the transport threw. */
  error: unknown;

  constructor(inner: Connection) {
    this.#inner = inner;
    this.flow = inner.flow && this.#guardedFlow(inner.flow);
  }

  get isOpen(): boolean {
    return !this.#end && this.#inner.isOpen;
  }

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  start(receiver: ConnectionReceiver): void {
    this.#receiver = receiver;
    if (this.#end) receiver.onEnd(this.#end);
    else
      this.try(() =>
        this.#inner.start({
          releasesFrames: receiver.releasesFrames,
          onFrame: (frame) => {
            if (!this.#end) receiver.onFrame(frame);
          },
          onEnd: (end) => this.#finish(end),
        }),
      );
  }

  send(frame: string): void {
    if (!this.#end) this.try(() => this.#inner.send(frame));
  }

  async close(): Promise<void> {
    this.#finish({ reason: "closed" });
    await closed(this.#inner);
  }

  #guardedFlow(flow: FlowControl): FlowControl {
    const pause = (isPaused: boolean): void => {
      this.isPaused = isPaused;
      this.try(() => (isPaused ? flow.pause() : flow.resume()));
    };
    const queuedBytes = (): number => {
      let bytes = 0;
      this.try(() => {
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
          this.fail(error);
        }
      },
    };
  }

  /** Ends the connection if the action throws. */
  try(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Ends the connection with this error. */
  fail(error: unknown): void {
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
