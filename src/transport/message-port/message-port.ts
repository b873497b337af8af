import { ConnectError, UsageError } from "../../errors.ts";
import { onAbort, untilAborted } from "../../internal/abort.ts";
import type { Awaitable } from "../../internal/awaitable.ts";
import { type Deferred, deferred } from "../../internal/deferred.ts";
import type { Connection, Transport } from "../transport.ts";
import { PortConnection, type PortSignal } from "./connection.ts";
import { endedError, outOfPlace, refusedError } from "./errors.ts";
import { checkedPort, livenessOf, type PortLike, type PortOptions } from "./port.ts";

/** Asked for a new port before every dial. Its `signal` aborts when nobody waits for the connection any more. */
export type PortTarget = (context: { readonly signal: AbortSignal }) => Awaitable<PortLike>;

/**
 * Reaches an exec-server over a message port whose other side somebody has given to {@link bridge}: from a sandboxed
 * Electron renderer by way of the main process, from a worker or a frame by way of its page. It takes ports of the DOM,
 * of `node:worker_threads`, and Electron's `MessagePortMain`.
 *
 * @param port A function, which gives a new port for every connection; or one port, which carries one connection, and
 * when that has ended so has the client.
 * @throws UsageError `ERR_INVALID_ARGUMENT` at once for what is neither.
 */
export function messagePort(port: PortLike | PortTarget, options: PortOptions = {}): Transport {
  const livenessMs = livenessOf(options);
  return typeof port === "function" ? portForEach(port, livenessMs) : onePort(checkedPort(port), livenessMs);
}

function portForEach(target: PortTarget, livenessMs: number): Transport {
  let previous: PortLike | undefined;
  return {
    reconnectable: true,
    async connect({ signal }) {
      signal.throwIfAborted();
      const asked = (async () => checkedPort(await target({ signal })))();
      const port = await untilAborted(asked, signal, (late) => new Caller(late, livenessMs).close());
      if (port === previous) {
        throw new UsageError("ERR_INVALID_ARGUMENT", "Every connection needs a new message port");
      }
      previous = port;
      const caller = new Caller(port, livenessMs);
      try {
        return await caller.dial(signal);
      } catch (error) {
        await caller.close();
        throw error;
      }
    },
  };
}

function onePort(port: PortLike, livenessMs: number): Transport {
  let caller: Caller | undefined;
  return {
    reconnectable: false,
    async connect({ signal }) {
      signal.throwIfAborted();
      caller ??= new Caller(port, livenessMs);
      return await caller.dial(signal);
    },
  };
}

/** The client's side of the talk: wishes for a connection, as often as it takes, and takes one. */
class Caller {
  readonly #connection: PortConnection;
  #attempt = 0;
  #answer: Deferred<void> | undefined;

  constructor(port: PortLike, livenessMs: number) {
    this.#connection = new PortConnection(port, livenessMs, (signal) => this.#onSignal(signal));
  }

  async dial(signal: AbortSignal): Promise<Connection> {
    // Aborted since the port was asked for.
    signal.throwIfAborted();
    const connection = this.#connection;
    if (this.#answer) {
      throw new ConnectError(
        "One message port carries one connection: give messagePort() a function for more",
        {
          phase: "dial",
          delivery: "not-sent",
        },
      );
    }
    const attempt = ++this.#attempt;
    const answer = deferred<void>();
    this.#answer = answer;
    const withdraw = (): void => {
      if (this.#answer !== answer) return;
      this.#answer = undefined;
      connection.say({ type: "withdrawn", attempt });
      connection.watch(false);
    };
    // At once, for whoever aborts may dial again in the same turn.
    const settled = onAbort(signal, () => {
      withdraw();
      answer.reject(signal.reason);
    });
    connection.watch(true);
    connection.say({ type: "hello", attempt });
    void connection.ended.then((end) => answer.reject(endedError(end)));
    try {
      await answer.promise;
      // Aborted behind the answer.
      signal.throwIfAborted();
    } catch (error) {
      withdraw();
      throw error;
    } finally {
      settled();
    }
    connection.establish();
    connection.say({ type: "accepted", attempt });
    return connection;
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  #onSignal(signal: PortSignal): void {
    if (signal.type !== "opened" && signal.type !== "refused") throw outOfPlace(signal.type);
    // It may have crossed with a change of mind.
    if (signal.attempt !== this.#attempt) return;
    if (signal.type === "opened") this.#answer?.resolve();
    else this.#answer?.reject(refusedError(signal));
  }
}
