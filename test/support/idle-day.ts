import { vi } from "vitest";
import { RpcPeer } from "../../src/rpc/peer.ts";
import type { Connection } from "../../src/transport/transport.ts";
import { memoryTransport } from "./memory-transport.ts";

const MINUTE = 60_000;

/** Watches a connection and closes it when the peer no longer responds. */
export type WatchConnection = (rpc: RpcPeer) => void;

export interface IdleDayOutcome {
  /** Simulated time at which the connection ended, in milliseconds; undefined if it did not end. */
  readonly endedAt: number | undefined;
  /** Simulated time at which the server stopped responding, in milliseconds; undefined if it did not. */
  readonly diedAt: number | undefined;
  /** Time since `diedAt` in which the page was visible and running, in milliseconds. */
  readonly awakeSinceDeathMs: number;
}

/**
 * Simulates an idle connection on a fake clock with random events: the machine sleeps, the clock is set, the tab is hidden,
 * a slow request delays the later ones on a server without concurrency, and the server may stop responding.
 */
export class IdleDay {
  readonly #random: () => number;
  readonly #page = Object.assign(new EventTarget(), { visibilityState: "visible" });
  #server!: Connection;
  #isDead = false;
  /** Responses held back behind a slow request; undefined while there is none. */
  #queue: (() => void)[] | undefined;
  #elapsedMs = 0;
  #diedAt: number | undefined;
  #endedAt: number | undefined;
  #awakeSinceDeathMs = 0;

  /** @param random Numbers from 0 to 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  async run(watch: WatchConnection, hours: number, deathAtHour: number | undefined): Promise<IdleDayOutcome> {
    vi.stubGlobal("document", this.#page);
    const transport = memoryTransport((server) => {
      this.#server = server;
      server.start({ onFrame: (frame) => this.#respond(JSON.parse(String(frame))), onEnd: () => {} });
    });
    const connection = await transport.connect({ signal: new AbortController().signal });
    const rpc = new RpcPeer(connection, { onRequest: () => undefined });
    rpc.onEnd(() => {
      this.#endedAt = this.#elapsedMs;
    });
    watch(rpc);
    while (this.#elapsedMs < hours * 60 * MINUTE && this.#endedAt === undefined) {
      if (deathAtHour !== undefined && this.#elapsedMs >= deathAtHour * 60 * MINUTE && !this.#isDead)
        this.#die();
      await this.#nextEvent(rpc);
    }
    const { endedAt, diedAt, awakeSinceDeathMs } = this.#outcome;
    void rpc.close();
    vi.unstubAllGlobals();
    return { endedAt, diedAt, awakeSinceDeathMs };
  }

  get #outcome(): IdleDayOutcome {
    return { endedAt: this.#endedAt, diedAt: this.#diedAt, awakeSinceDeathMs: this.#awakeSinceDeathMs };
  }

  async #nextEvent(rpc: RpcPeer): Promise<void> {
    const length = 1 + Math.floor(this.#random() * 5 * MINUTE);
    const event = Math.floor(this.#random() * 7);
    if (event === 0) this.#sleep(length * 10);
    else if (event === 1) this.#setClock(this.#random() < 0.5 ? -length : length * 10);
    else if (event === 2) await this.#hide(length);
    else if (event === 3) await this.#sendSlowRequest(rpc, length);
    else if (event === 4) this.#notify();
    else await this.#advance(length);
  }

  /** Advances the clock and the timers, in steps of 500 ms to observe when the connection ends. */
  async #advance(ms: number): Promise<void> {
    for (let left = ms; left > 0 && this.#endedAt === undefined; left -= 500) {
      const step = Math.min(left, 500);
      this.#elapsedMs += step;
      if (this.#isDead && this.#page.visibilityState === "visible") this.#awakeSinceDeathMs += step;
      await vi.advanceTimersByTimeAsync(step);
    }
  }

  /** Advances the clock without firing timers, as when the machine sleeps. */
  #sleep(ms: number): void {
    this.#elapsedMs += ms;
    this.#setClock(ms);
  }

  #setClock(byMs: number): void {
    vi.setSystemTime(Date.now() + byMs);
  }

  /** Hides the page for a while. Timers and responses continue. */
  async #hide(ms: number): Promise<void> {
    this.#setVisibility("hidden");
    await this.#advance(ms);
    this.#setVisibility("visible");
    await this.#advance(100);
  }

  #setVisibility(visibilityState: string): void {
    this.#page.visibilityState = visibilityState;
    this.#page.dispatchEvent(new Event("visibilitychange"));
  }

  /** Sends a slow request. The server holds back all later responses until it has finished. */
  async #sendSlowRequest(rpc: RpcPeer, ms: number): Promise<void> {
    if (this.#isDead) return;
    this.#queue = [];
    rpc.call("environment/info", null).catch(() => {});
    await this.#advance(ms);
    for (const respond of this.#queue.splice(0)) respond();
    this.#queue = undefined;
  }

  #notify(): void {
    if (!this.#isDead) this.#server.send(JSON.stringify({ method: "fs/watchMissing/changed", params: {} }));
  }

  #die(): void {
    this.#isDead = true;
    this.#diedAt = this.#elapsedMs;
  }

  #respond({ id }: { id?: number }): void {
    const respond = (): void => this.#server.send(JSON.stringify({ id, result: { status: "ready" } }));
    if (this.#isDead) return;
    if (this.#queue) this.#queue.push(respond);
    else respond();
  }
}
