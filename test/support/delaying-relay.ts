import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/**
 * A TCP relay that makes a server distant: everything takes half a round trip in each direction, and a connection one
 * round trip more before its first bytes leave. Only the acknowledgements of TCP are those of this machine.
 */
export class DelayingRelay implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(target: string, roundTripMs: number): Promise<DelayingRelay> {
    const { hostname, port } = new URL(target);
    const server = createServer({ allowHalfOpen: true });
    const relay = new DelayingRelay(server);
    server.on("connection", (near) => {
      const far = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
      relay.#forward(near, far, roundTripMs / 2, performance.now() + roundTripMs);
      relay.#forward(far, near, roundTripMs / 2);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return relay;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  /** @param openAt When the connection exists for the sender, so that its first bytes can leave. */
  #forward(from: Socket, to: Socket, delayMs: number, openAt = 0): void {
    const due: { readonly at: number; readonly pass: () => void }[] = [];
    let timer: NodeJS.Timeout | undefined;
    const passDue = (): void => {
      timer = undefined;
      for (let next = due[0]; next && next.at <= performance.now(); next = due[0]) {
        due.shift();
        next.pass();
      }
      if (due[0]) timer = setTimeout(passDue, due[0].at - performance.now());
    };
    const delay = (pass: () => void): void => {
      const at = Math.max(performance.now(), openAt) + delayMs;
      // A timer would add a millisecond.
      if (delayMs === 0 && due.length === 0) {
        pass();
        return;
      }
      due.push({ at, pass });
      timer ??= setTimeout(passDue, at - performance.now());
    };
    this.#sockets.add(from.setNoDelay(true));
    from.on("data", (bytes) => delay(() => to.write(bytes)));
    from.on("end", () => delay(() => to.end()));
    from.on("error", () => {});
    from.once("close", () => {
      this.#sockets.delete(from);
      delay(() => to.destroy());
    });
    to.once("close", () => clearTimeout(timer));
  }
}
