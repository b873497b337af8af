import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A TCP proxy that counts connections, and can refuse, freeze and reset them. */
export class TcpProxy {
  /** Connections that began with data. A browser's speculative connection sends none and does not count. */
  dials = 0;
  /** Whether new connections are reset. */
  isRefusing = false;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #far = new Map<Socket, Socket>();
  readonly #frozen = new Set<Socket>();
  #onChange: (() => void)[] = [];

  private constructor(target: () => number) {
    this.#server = createServer((near) => this.#accept(near, target));
  }

  /** @param target The port to forward to, called for every connection. */
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

  /** Resets every connection. */
  cut(): void {
    for (const near of this.#open) near.resetAndDestroy();
  }

  /** Resets the newest connection. */
  cutLatest(): void {
    [...this.#open].at(-1)?.resetAndDestroy();
  }

  /** Stops forwarding on all current connections, without closing them. */
  freeze(): void {
    for (const near of this.#open) this.#freeze(near);
  }

  /** Resumes frozen connections, with all data queued meanwhile. */
  thaw(): void {
    for (const near of this.#frozen) {
      const far = this.#far.get(near);
      if (far && !near.destroyed) this.#pipe(near, far);
      else near.resume();
    }
    this.#frozen.clear();
  }

  /** Ends every connection after this many more bytes of the target, for example in the middle of a frame. */
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

  /** Connects to the target with the first data, so that a dial also counts while the target does not listen. */
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
      this.#connect(near, far);
    });
  }

  #connect(near: Socket, far: Socket): void {
    for (const [side, other] of [
      [near, far],
      [far, near],
    ] as const) {
      side.setNoDelay(true);
      side.on("error", () => {});
      side.once("close", () => other.destroy());
    }
    this.#pipe(near, far);
  }

  #pipe(near: Socket, far: Socket): void {
    near.pipe(far);
    far.pipe(near);
  }

  #freeze(near: Socket): void {
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
    for (const notify of this.#onChange.splice(0)) notify();
  }
}
