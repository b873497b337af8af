import { vi } from "vitest";
import { RpcPeer } from "../../src/rpc/peer.ts";
import type { Connection } from "../../src/transport/transport.ts";
import { memoryTransport } from "./memory-transport.ts";

const MINUTE = 60_000;

/** What a liveness watch is: told of a connection, it ends it when it finds it dead. */
export type Watch = (rpc: RpcPeer) => void;

export interface DayOutcome {
  /** Milliseconds of the simulated day at which the connection was ended; undefined if never. */
  readonly endedAt: number | undefined;
  /** Milliseconds at which the server fell silent; undefined if never. */
  readonly diedAt: number | undefined;
  /** Of what had passed since then, the time in which the page was visible and running. */
  readonly awakeSinceDeathMs: number;
}

/**
 * A connection on a fake clock, and everything that happens to an idle one: a machine that sleeps, a clock that is set, a
 * tab that is hidden or frozen, a slow request on a server that works through them one by one, and at last, perhaps, a
 * server that is silently gone.
 */
export class Day {
  readonly #random: () => number;
  readonly #page = Object.assign(new EventTarget(), { visibilityState: "visible" });
  #server!: Connection;
  #isDead = false;
  /** Requests that wait behind a slow one; undefined while there is none. */
  #queue: (() => void)[] | undefined;
  #passedMs = 0;
  #diedAt: number | undefined;
  #endedAt: number | undefined;
  #awakeSinceDeathMs = 0;

  /** @param random Numbers from 0 to 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  async live(watch: Watch, hours: number, deathAtHour: number | undefined): Promise<DayOutcome> {
    vi.stubGlobal("document", this.#page);
    const transport = memoryTransport((server) => {
      this.#server = server;
      server.start({ onFrame: (frame) => this.#serve(JSON.parse(String(frame))), onEnd: () => {} });
    });
    const connection = await transport.connect({ signal: new AbortController().signal });
    const rpc = new RpcPeer(connection, { onRequest: () => undefined });
    rpc.onEnd(() => {
      this.#endedAt = this.#passedMs;
    });
    watch(rpc);
    while (this.#passedMs < hours * 60 * MINUTE && this.#endedAt === undefined) {
      if (deathAtHour !== undefined && this.#passedMs >= deathAtHour * 60 * MINUTE && !this.#isDead)
        this.#die();
      await this.#happen(rpc);
    }
    const { endedAt, diedAt, awakeSinceDeathMs } = this.#outcome;
    void rpc.close();
    vi.unstubAllGlobals();
    return { endedAt, diedAt, awakeSinceDeathMs };
  }

  get #outcome(): DayOutcome {
    return { endedAt: this.#endedAt, diedAt: this.#diedAt, awakeSinceDeathMs: this.#awakeSinceDeathMs };
  }

  async #happen(rpc: RpcPeer): Promise<void> {
    const length = 1 + Math.floor(this.#random() * 5 * MINUTE);
    const what = Math.floor(this.#random() * 7);
    if (what === 0) this.#sleep(length * 10);
    else if (what === 1) this.#setClock(this.#random() < 0.5 ? -length : length * 10);
    else if (what === 2) await this.#hide(length);
    else if (what === 3) await this.#workSlowly(rpc, length);
    else if (what === 4) this.#notify();
    else await this.#run(length);
  }

  /** The program runs, in steps short enough to see when the connection ended. */
  async #run(ms: number): Promise<void> {
    for (let left = ms; left > 0 && this.#endedAt === undefined; left -= 500) {
      const step = Math.min(left, 500);
      this.#passedMs += step;
      if (this.#isDead && this.#page.visibilityState === "visible") this.#awakeSinceDeathMs += step;
      await vi.advanceTimersByTimeAsync(step);
    }
  }

  /** No timer fires, and when the program wakes, time has passed. */
  #sleep(ms: number): void {
    this.#passedMs += ms;
    this.#setClock(ms);
  }

  #setClock(byMs: number): void {
    vi.setSystemTime(Date.now() + byMs);
  }

  /** Timers fire once a minute, and answers are still taken in. */
  async #hide(ms: number): Promise<void> {
    this.#show("hidden");
    await this.#run(ms);
    this.#show("visible");
    await this.#run(100);
  }

  #show(visibilityState: string): void {
    this.#page.visibilityState = visibilityState;
    this.#page.dispatchEvent(new Event("visibilitychange"));
  }

  /** A request that takes long, and everything behind it waits for it. */
  async #workSlowly(rpc: RpcPeer, ms: number): Promise<void> {
    if (this.#isDead) return;
    this.#queue = [];
    rpc.call("environment/info", null).catch(() => {});
    await this.#run(ms);
    for (const answer of this.#queue.splice(0)) answer();
    this.#queue = undefined;
  }

  #notify(): void {
    if (!this.#isDead) this.#server.send(JSON.stringify({ method: "fs/watchMissing/changed", params: {} }));
  }

  #die(): void {
    this.#isDead = true;
    this.#diedAt = this.#passedMs;
  }

  #serve({ id }: { id?: number }): void {
    const answer = (): void => this.#server.send(JSON.stringify({ id, result: { status: "ready" } }));
    if (this.#isDead) return;
    if (this.#queue) this.#queue.push(answer);
    else answer();
  }
}
