import { ConnectError } from "../../errors/connection.ts";
import { onAbort } from "../../internal/abort.ts";
import { type Deferred, deferred } from "../../internal/deferred.ts";
import type { ConnectContext, Connection } from "../transport.ts";
import { type NegotiationMessage, NO_ANSWER, PortConnection } from "./connection.ts";
import { closedEarlyError, errorFromMessage, unexpectedMessage } from "./errors.ts";
import type { PortLike } from "./port.ts";

/** The client's side of the negotiation: requests a connection, again after a failure, and accepts one. */
export class PortDialer {
  readonly #connection: PortConnection;
  #attempt = 0;
  #answer: Deferred<void> | undefined;

  constructor(port: PortLike, livenessMs: number) {
    this.#connection = new PortConnection(port, livenessMs, (message) => this.#onNegotiation(message));
  }

  async dial(signal: AbortSignal, waitingFor: ConnectContext["waitingFor"]): Promise<Connection> {
    // The signal can have aborted since the caller received the port.
    signal.throwIfAborted();
    const connection = this.#connection;
    if (this.#answer) {
      throw new ConnectError(
        "A message port carries one connection: give messagePort() a function for more",
        { phase: "dial", delivery: "not-sent" },
      );
    }
    const attempt = ++this.#attempt;
    const answer = deferred<void>();
    this.#answer = answer;
    const withdraw = (): void => {
      if (this.#answer !== answer) return;
      this.#answer = undefined;
      connection.post({ type: "withdrawn", attempt });
      connection.watch(false);
    };
    // Synchronously, because the caller may dial again in the turn of its abort.
    const cancel = onAbort(signal, () => {
      withdraw();
      answer.reject(signal.reason);
    });
    waitingFor?.(NO_ANSWER);
    connection.onFirstMessage = () => waitingFor?.("the bridge has not reached the exec-server");
    connection.watch(true);
    connection.post({ type: "hello", attempt });
    void connection.ended.then((end) => answer.reject(closedEarlyError(end)));
    try {
      await answer.promise;
      // The signal can abort between the answer and this turn.
      signal.throwIfAborted();
    } catch (error) {
      withdraw();
      throw error;
    } finally {
      cancel();
    }
    connection.establish();
    connection.post({ type: "accepted", attempt });
    return connection;
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  #onNegotiation(message: NegotiationMessage): void {
    if (message.type !== "opened" && message.type !== "refused") throw unexpectedMessage(message.type);
    // An answer to an earlier attempt, which crossed with its abort.
    if (message.attempt !== this.#attempt) return;
    if (message.type === "opened") this.#answer?.resolve();
    else this.#answer?.reject(errorFromMessage(message));
  }
}
