import { untilAborted } from "../../internal/abort.ts";
import { invalid } from "../../internal/arguments.ts";
import type { Awaitable } from "../../internal/awaitable.ts";
import type { TargetContext, Transport } from "../transport.ts";
import { PortDialer } from "./dialer.ts";
import { checkedPort, livenessOf, type PortLike, type PortOptions } from "./port.ts";

/**
 * Returns a new port. Called before every dial. Its `signal` aborts when the last caller that waits for the connection has
 * aborted.
 */
export type PortTarget = (context: TargetContext) => Awaitable<PortLike>;

/**
 * Connects to an exec-server over a message port whose other side has a {@link bridge}: from a sandboxed Electron
 * renderer through the main process, from a worker or a frame through its page. It takes ports of the DOM, of
 * `node:worker_threads`, and Electron's `MessagePortMain`.
 *
 * @param port A function that returns a new port for every connection. Or one port: it carries one connection, and the
 * client does not reconnect after that has ended.
 * @throws UsageError `ERR_INVALID_ARGUMENT` at once for a value that is neither, and for an invalid option.
 * @example
 * import { LazyExecServerClient, messagePort } from "exec-server-sdk";
 *
 * // In a worker; the page runs `bridge(event.data, transport)` for each port that it gets.
 * const inWorker = new LazyExecServerClient({
 *   transport: messagePort(() => {
 *     const { port1, port2 } = new MessageChannel();
 *     postMessage(port2, { transfer: [port2] });
 *     return port1;
 *   }),
 * });
 */
export function messagePort(port: PortLike | PortTarget, options: PortOptions = {}): Transport {
  const livenessMs = livenessOf("messagePort()", options);
  return typeof port === "function"
    ? newPortTransport(port, livenessMs)
    : onePortTransport(checkedPort("messagePort()", port), livenessMs);
}

function newPortTransport(target: PortTarget, livenessMs: number): Transport {
  let previous: PortLike | undefined;
  return {
    reconnectable: true,
    async connect({ signal, waitingFor }) {
      signal.throwIfAborted();
      waitingFor?.("the function has not returned a port");
      const pending = (async () => checkedPort("messagePort()", await target({ signal })))();
      const port = await untilAborted(pending, signal, (late) => new PortDialer(late, livenessMs).close());
      if (port === previous) {
        invalid(
          "messagePort(): the function must return a new port for every connection, got the previous port",
        );
      }
      previous = port;
      const dialer = new PortDialer(port, livenessMs);
      try {
        return await dialer.dial(signal, waitingFor);
      } catch (error) {
        await dialer.close();
        throw error;
      }
    },
  };
}

function onePortTransport(port: PortLike, livenessMs: number): Transport {
  let dialer: PortDialer | undefined;
  return {
    reconnectable: false,
    async connect({ signal, waitingFor }) {
      signal.throwIfAborted();
      dialer ??= new PortDialer(port, livenessMs);
      return await dialer.dial(signal, waitingFor);
    },
  };
}
