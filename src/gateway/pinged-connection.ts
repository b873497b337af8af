import { DisconnectedError } from "../errors/connection.ts";
import { GuardedConnection } from "../transport/guarded-connection.ts";
import type { Connection, ConnectionReceiver } from "../transport/transport.ts";
import { FAULT_TEXTS, MAX_UNANSWERED_PINGS } from "./page-link.ts";

/** The exec-server's connection, with pings that detect a network which is silent. */
export class PingedConnection extends GuardedConnection {
  readonly #ping: Connection["ping"];
  #unansweredPings = 0;

  constructor(inner: Connection) {
    super(inner);
    this.#ping = inner.ping && (async () => inner.ping?.());
  }

  override start(receiver: ConnectionReceiver): void {
    super.start({
      releasesFrames: receiver.releasesFrames,
      onFrame: (frame) => {
        this.#unansweredPings = 0;
        receiver.onFrame(frame);
      },
      onEnd: (end) => receiver.onEnd(end),
    });
  }

  /** Pings the exec-server, or ends the connection when too many pings are unanswered. Without pings it does nothing. */
  beat(): void {
    // While paused, no pong is read. While a write is pending, a slow exec-server receives the ping only after it.
    if (!this.#ping || this.hasEnded || this.isPaused || (this.flow?.queuedBytes ?? 0) > 0) return;
    if (this.#unansweredPings === MAX_UNANSWERED_PINGS) {
      this.fail(new DisconnectedError(FAULT_TEXTS.silent));
      return;
    }
    this.#unansweredPings++;
    this.#ping().then(
      () => {
        this.#unansweredPings = 0;
      },
      (error: unknown) => this.fail(error),
    );
  }
}
