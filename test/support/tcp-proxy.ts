import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A piece of network that counts, and that can be cut. */
export class TcpProxy {
  /** HTTP requests that began a connection: what a WebSocket's dial is, and a speculative connection is not. */
  dials = 0;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #far = new Map<Socket, Socket>();
  #onChange: (() => void)[] = [];

  private constructor(target: () => number) {
    this.#server = createServer((near) => this.#accept(near, target));
  }

  /** @param target The port it leads to, asked for every connection. */
  static async start(target: () => number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connections open now. */
  get open(): number {
    return this.#open.size;
  }

  /** Cuts every connection, without a goodbye. */
  cut(): void {
    for (const near of this.#open) near.resetAndDestroy();
  }

  /** Cuts the connection that was made last. */
  cutLatest(): void {
    [...this.#open].at(-1)?.resetAndDestroy();
  }

  /** From now on nothing passes on the connections there are, and neither side is told. */
  freeze(): void {
    for (const near of this.#open) this.#halt(near);
  }

  /** Resolves when that many connections are open. */
  async untilOpen(count: number): Promise<void> {
    while (this.open !== count) await new Promise<void>((resolve) => this.#onChange.push(resolve));
  }

  async close(): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, "close");
  }

  /** Leads on from the first word, so that a dial is counted also when nobody is there to take it. */
  #accept(near: Socket, target: () => number): void {
    this.#track(() => this.#open.add(near));
    near.once("close", () => this.#track(() => this.#open.delete(near)));
    near.on("error", () => {});
    near.once("data", (first) => {
      this.dials++;
      const far = connect(target(), "127.0.0.1");
      far.write(first);
      this.#far.set(near, far);
      near.once("close", () => this.#far.delete(near));
      this.#join(near, far);
    });
  }

  #join(near: Socket, far: Socket): void {
    for (const [side, other] of [
      [near, far],
      [far, near],
    ] as const) {
      side.setNoDelay(true);
      side.on("error", () => {});
      side.once("close", () => other.destroy());
      side.pipe(other);
    }
  }

  #halt(near: Socket): void {
    const far = this.#far.get(near);
    near.unpipe();
    far?.unpipe();
    near.pause();
    far?.pause();
  }

  #track(change: () => void): void {
    change();
    for (const tell of this.#onChange.splice(0)) tell();
  }
}
