import { ProtocolError } from "../../errors/connection.ts";
import { deferred } from "../../internal/deferred.ts";
import { guarded } from "../../internal/guarded.ts";
import { onPageHide } from "../../internal/page.ts";
import { ReceiveQueue } from "../receive-queue.ts";
import type { Connection, ConnectionEnd, ConnectionReceiver } from "../transport.ts";
import { closeMessage, endFromMessage } from "./errors.ts";
import { PortFlowControl } from "./flow-control.ts";
import { Liveness } from "./liveness.ts";
import { type PortMessage, type PortMessageOf, parsePortMessage, portMessage } from "./messages.ts";
import { listen, type PortLike } from "./port.ts";

/** The messages by which client and bridge negotiate a connection. */
export type NegotiationMessage = PortMessageOf<"hello" | "opened" | "refused" | "withdrawn" | "accepted">;

/** What it means that nothing has ever arrived on a port. */
export const NO_ANSWER = "nothing answered on the message port: does bridge() run on the other side?";

/** One side of a message port. Carries the negotiation first and, once established, frames. */
export class PortConnection implements Connection {
  readonly #port: PortLike;
  readonly #onNegotiation: (message: NegotiationMessage) => void;
  readonly #receiveQueue = new ReceiveQueue();
  readonly #liveness: Liveness;
  readonly #ended = deferred<ConnectionEnd>();
  readonly #unlisten: (() => void)[] = [];
  #isOpen = true;
  #isEstablished = false;
  #hasHeard = false;
  /** Called with the first message of the other side. */
  onFirstMessage: () => void = () => {};
  readonly flow: PortFlowControl;

  /** @param onNegotiation Throws a ProtocolError for a message that is not allowed in the current state. */
  constructor(port: PortLike, livenessMs: number, onNegotiation: (message: NegotiationMessage) => void) {
    this.#port = port;
    this.#onNegotiation = onNegotiation;
    this.flow = new PortFlowControl(this.#receiveQueue, (message) => this.post(message));
    this.#liveness = new Liveness(
      livenessMs,
      () => this.post({ type: "ping" }),
      () => {
        const reason = `the other side of the message port was silent for ${livenessMs} ms`;
        this.#close({ reason: this.#hasHeard ? reason : `${reason}: ${NO_ANSWER}` });
      },
    );
    this.#unlisten.push(
      // A DOM port emits no event when the page of its other side is unloaded, so this side has to report it.
      onPageHide(() => this.#close({ reason: "the page on one side of the message port was left" })),
      listen(port, {
        message: ({ data }) => this.#receive(data),
        messageerror: () =>
          this.#fail(new ProtocolError("Received a message on the message port that can't be deserialized")),
        // Emitted by the ports of Node and of Electron's main process.
        close: () => this.#end({ reason: "the other side of the message port is gone" }),
      }),
    );
    this.watch(false);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Resolves when the port has closed, whichever side closed it. */
  get ended(): Promise<ConnectionEnd> {
    return this.#ended.promise;
  }

  /** Watches the other side's signs of life, or stops. While it watches, the port keeps a Node process alive. */
  watch(isWatching: boolean): void {
    if (!this.#isOpen) return;
    if (isWatching) this.#liveness.watch();
    else this.#liveness.stop();
    if (isWatching) this.ref();
    else this.unref();
  }

  /** Both sides have accepted the connection. Frames are valid from now on. */
  establish(): void {
    this.#isEstablished = true;
  }

  ref(): void {
    if (this.#isOpen) this.#port.ref?.();
  }

  unref(): void {
    if (this.#isOpen) this.#port.unref?.();
  }

  /** Sends a control message. */
  post(message: PortMessage): void {
    this.#postRaw(portMessage(message));
  }

  start(receiver: ConnectionReceiver): void {
    this.#receiveQueue.start({
      onFrame: (frame) => {
        receiver.onFrame(frame);
        this.flow.delivered(frame.length);
      },
      onEnd: (end) => receiver.onEnd(end),
    });
  }

  send(frame: string): void {
    if (!this.#isOpen) return;
    this.flow.sent(frame.length);
    this.#postRaw(frame);
  }

  /** @param closeInfo The end that is reported to the other side. */
  async close(closeInfo: ConnectionEnd = { reason: "the other side closed the connection" }): Promise<void> {
    this.#close(closeInfo, { reason: "closed" });
  }

  #receive(data: unknown): void {
    if (!this.#isOpen) return;
    this.#liveness.heard();
    if (!this.#hasHeard) {
      this.#hasHeard = true;
      this.onFirstMessage();
    }
    if (typeof data === "string" && this.#isEstablished) {
      this.#receiveQueue.frame(data);
      return;
    }
    try {
      this.#onMessage(parsePortMessage(data));
    } catch (error) {
      this.#fail(error as ProtocolError);
    }
  }

  #onMessage(message: PortMessage): void {
    switch (message.type) {
      case "ping":
        this.post({ type: "pong" });
        break;
      case "pong":
        break;
      case "received":
        this.flow.onReceived(message.length);
        break;
      case "flush":
        this.flow.onFlush();
        break;
      case "flushed":
        this.flow.onFlushed();
        break;
      case "goodbye":
        this.#end(endFromMessage(message));
        break;
      default:
        this.#onNegotiation(message);
    }
  }

  #postRaw(data: unknown): void {
    if (!this.#isOpen) return;
    try {
      this.#port.postMessage(data);
    } catch {
      // Electron's port can throw when the other side is gone. Its `close` event then ends this connection.
    }
  }

  /** Closes the port: after a message that can't be interpreted, no later one can be trusted. */
  #fail(cause: ProtocolError): void {
    this.#close({ reason: cause.message, cause });
  }

  /** Reports `closeInfo` to the other side. `end` is the end on this side. */
  #close(closeInfo: ConnectionEnd, end: ConnectionEnd = closeInfo): void {
    this.post(closeMessage(closeInfo));
    this.#end(end);
  }

  #end(end: ConnectionEnd): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#liveness.stop();
    for (const unlisten of this.#unlisten) unlisten();
    // A port that has lost its other side may throw, as in `#postRaw`.
    guarded(() => this.#port.close());
    this.flow.end();
    this.#receiveQueue.end(end);
    this.#ended.resolve(end);
  }
}
