import { ReceiveQueue } from "../../src/transport/receive-queue.ts";
import type {
  Connection,
  ConnectionEnd,
  ConnectionReceiver,
  Transport,
} from "../../src/transport/transport.ts";

/** One end of a linked pair of connections in the same process. Delivers asynchronously, as a socket does. */
class MemoryConnection implements Connection {
  readonly #receiveQueue = new ReceiveQueue();
  peer!: MemoryConnection;
  #open = true;

  static pair(): [MemoryConnection, MemoryConnection] {
    const [a, b] = [new MemoryConnection(), new MemoryConnection()];
    a.peer = b;
    b.peer = a;
    return [a, b];
  }

  get isOpen(): boolean {
    return this.#open;
  }

  start(receiver: ConnectionReceiver): void {
    this.#receiveQueue.start(receiver);
  }

  send(frame: string): void {
    if (!this.#open) return;
    queueMicrotask(() => this.peer.#receiveQueue.frame(frame));
  }

  async close(): Promise<void> {
    this.end({ reason: "closed by the other side" });
  }

  /** Ends both sides; the peer gets `end`. */
  end(end: ConnectionEnd): void {
    if (!this.#open) return;
    this.#open = false;
    queueMicrotask(() => this.peer.#endedByPeer(end));
    queueMicrotask(() => this.#receiveQueue.end({ reason: "closed" }));
  }

  #endedByPeer(end: ConnectionEnd): void {
    this.#open = false;
    this.#receiveQueue.end(end);
  }
}

/** A transport in memory. `accept` is called with the server's side of each new connection. */
export function memoryTransport(
  accept: (server: Connection & { end(end: ConnectionEnd): void }) => void,
): Transport {
  return {
    reconnectable: true,
    async connect({ signal }) {
      signal.throwIfAborted();
      const [client, server] = MemoryConnection.pair();
      accept(server);
      if (signal.aborted) void client.close();
      signal.throwIfAborted();
      return client;
    },
  };
}
