import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A piece of network that counts, and that can be cut. */
export class TcpProxy {
  /** HTTP requests that began a connection: what a WebSocket's dial is, and a speculative connection is not. */
  dials = 0;
  /** Whether who dials is sent away. */
  isRefusing = false;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #far = new Map<Socket, Socket>();
  readonly #frozen = new Set<Socket>();
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

  /** Lets go on what is frozen, with all that has gathered on either side. */
  thaw(): void {
    for (const near of this.#frozen) {
      const far = this.#far.get(near);
      if (far && !near.destroyed) this.#join(near, far);
      else near.resume();
    }
    this.#frozen.clear();
  }

  /** Ends every connection in the middle of what comes from the target: that many bytes more pass. */
  cutAfter(bytes: number): void {
    for (const near of this.#open) {
      const far = this.#far.get(near);
      let left = bytes;
      far?.unpipe();
      far?.on("data", (piece: Buffer) => {
        if (left > 0) near.write(piece.subarray(0, left));
        if (left > 0 && piece.length >= left) near.end(() => near.destroy());
        left -= piece.length;
      });
      far?.resume();
    }
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
      if (this.isRefusing) {
        near.resetAndDestroy();
        return;
      }
      const far = connect(target(), "127.0.0.1");
      far.write(first);
      this.#far.set(near, far);
      near.once("close", () => this.#far.delete(near));
      this.#lead(near, far);
    });
  }

  #lead(near: Socket, far: Socket): void {
    for (const [side, other] of [
      [near, far],
      [far, near],
    ] as const) {
      side.setNoDelay(true);
      side.on("error", () => {});
      side.once("close", () => other.destroy());
    }
    this.#join(near, far);
  }

  #join(near: Socket, far: Socket): void {
    near.pipe(far);
    far.pipe(near);
  }

  #halt(near: Socket): void {
    const far = this.#far.get(near);
    near.unpipe();
    far?.unpipe();
    near.pause();
    far?.pause();
    this.#frozen.add(near);
    near.once("close", () => this.#frozen.delete(near));
  }

  #track(change: () => void): void {
    change();
    for (const tell of this.#onChange.splice(0)) tell();
  }
}
