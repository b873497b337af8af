import { ProtocolError } from "../../errors.ts";
import { deferred } from "../../internal/deferred.ts";
import { ReceiveQueue } from "../receive-queue.ts";
import type { Connection, ConnectionEnd, ConnectionReceiver } from "../transport.ts";
import { endOf, farewellOf } from "./errors.ts";
import { PortFlowControl } from "./flow-control.ts";
import { Liveness } from "./liveness.ts";
import { type PortMessage, type PortMessageOf, parsePortMessage, portMessage } from "./messages.ts";
import { listen, type PortLike } from "./port.ts";

/** The messages by which the two sides agree on a connection. */
export type PortSignal = PortMessageOf<"hello" | "opened" | "refused" | "withdrawn" | "accepted">;

/** One side of a message port: the connection, and before there is one, the talk about it. */
export class PortConnection implements Connection {
  readonly #port: PortLike;
  readonly #onSignal: (signal: PortSignal) => void;
  readonly #receiveQueue = new ReceiveQueue();
  readonly #liveness: Liveness;
  readonly #ended = deferred<ConnectionEnd>();
  readonly #listening: (() => void)[] = [];
  #isOpen = true;
  #carriesFrames = false;
  readonly flow: PortFlowControl;

  /** @param onSignal Throws a ProtocolError for a signal that is out of place. */
  constructor(port: PortLike, livenessMs: number, onSignal: (signal: PortSignal) => void) {
    this.#port = port;
    this.#onSignal = onSignal;
    this.flow = new PortFlowControl(this.#receiveQueue, (message) => this.say(message));
    this.#liveness = new Liveness(
      livenessMs,
      () => this.say({ type: "ping" }),
      () => this.#leave({ reason: `the other side of the message port was silent for ${livenessMs} ms` }),
    );
    this.#listening.push(
      // A DOM port does not tell that the other side's page is gone, and nobody else could.
      onPageHide(() => this.#leave({ reason: "the page on one side of the message port was left" })),
      listen(port, {
        message: ({ data }) => this.#receive(data),
        messageerror: () => this.#break(new ProtocolError("A message on the message port can't be read")),
        // Told by the ports of Node and of Electron's main process.
        close: () => this.#end({ reason: "the other side of the message port is gone" }),
      }),
    );
    this.watch(false);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Resolves when the port has been given up, by whichever side. */
  get ended(): Promise<ConnectionEnd> {
    return this.#ended.promise;
  }

  /** Whether the other side's silence matters. Then the port keeps a Node process alive, too. */
  watch(matters: boolean): void {
    if (!this.#isOpen) return;
    if (matters) this.#liveness.watch();
    else this.#liveness.stop();
    if (matters) this.#port.ref?.();
    else this.#port.unref?.();
  }

  /** Both sides have agreed on the connection. */
  establish(): void {
    this.#carriesFrames = true;
  }

  say(message: PortMessage): void {
    this.#post(portMessage(message));
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
    this.#post(frame);
  }

  /** @param farewell What the other side is told. */
  async close(farewell: ConnectionEnd = { reason: "the other side closed the connection" }): Promise<void> {
    this.#leave(farewell, { reason: "closed" });
  }

  #receive(data: unknown): void {
    if (!this.#isOpen) return;
    this.#liveness.heard();
    if (typeof data === "string" && this.#carriesFrames) {
      this.#receiveQueue.frame(data);
      return;
    }
    try {
      this.#onMessage(parsePortMessage(data));
    } catch (error) {
      this.#break(error as ProtocolError);
    }
  }

  #onMessage(message: PortMessage): void {
    switch (message.type) {
      case "ping":
        this.say({ type: "pong" });
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
        this.#end(endOf(message));
        break;
      default:
        this.#onSignal(message);
    }
  }

  #post(message: unknown): void {
    if (!this.#isOpen) return;
    try {
      this.#port.postMessage(message);
    } catch {
      // Electron's port may say so when the other side is gone, and then tells it by an event as well.
    }
  }

  /** Nobody can tell what was meant, so nothing on this port can be trusted any more. */
  #break(cause: ProtocolError): void {
    this.#leave({ reason: cause.message, cause });
  }

  #leave(farewell: ConnectionEnd, end: ConnectionEnd = farewell): void {
    this.say(farewellOf(farewell));
    this.#end(end);
  }

  #end(end: ConnectionEnd): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#liveness.stop();
    for (const stop of this.#listening) stop();
    this.#port.close();
    this.flow.end();
    this.#receiveQueue.end(end);
    this.#ended.resolve(end);
  }
}

function onPageHide(listener: () => void): () => void {
  const page = globalThis as Partial<Pick<Window, "addEventListener" | "removeEventListener">>;
  page.addEventListener?.("pagehide", listener);
  return () => page.removeEventListener?.("pagehide", listener);
}
