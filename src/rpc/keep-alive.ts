import { DisconnectedError } from "../errors.ts";
import { watchActiveTime } from "../internal/active-interval.ts";
import { unobserved } from "../internal/deferred.ts";
import type { RequestId } from "../protocol/json-rpc.ts";
import type { RpcPeer } from "./peer.ts";

/** When a silent connection counts as dead. A time that is no positive number is a UsageError `ERR_INVALID_ARGUMENT`. */
export interface KeepAliveOptions {
  /** Milliseconds of silence after which the server is asked for a sign of life. @default 30_000 */
  readonly intervalMs?: number | undefined;
  /** Milliseconds it then has to give one, or the connection ends with a DisconnectedError. @default 10_000 */
  readonly timeoutMs?: number | undefined;
}

export type ResolvedKeepAliveOptions = { readonly [Name in keyof KeepAliveOptions]-?: number };

interface Probe {
  /** The requests that were sent before it and had no answer yet. */
  readonly ahead: readonly RequestId[];
  waitedMs: number;
}

/**
 * How many waiting requests a ping passes on the way: it is none of them. Server 0.169.0 takes in 128 beside the one it
 * works on before it stops reading, and answers pings up to there.
 */
const PASSED_BY_PINGS = 128;

/** A probe comes behind all that is still to be sent. A line as slow as this, in bytes per millisecond, still counts as one. */
const SLOWEST_LINE = 64;

/** How finely silence is measured: shorter pauses of this program may count as silence of the server's. */
const SLICES = 4;

/**
 * Finds out when a connection is dead although its socket looks open, and ends it. Any frame is a sign of life; a probe
 * is only sent when there was none.
 */
export class KeepAlive {
  readonly #rpc: RpcPeer;
  readonly #intervalMs: number;
  readonly #timeoutMs: number;
  readonly #sliceMs: number;
  #framesSeen = 0;
  /** Since there was a sign of life, or since the last probe while it is not known what a waiting request means. */
  #unprobedMs = 0;
  #probe: Probe | undefined;
  /**
   * How many waiting requests the server was seen to let a probe pass. A server may work through requests one by one:
   * behind a slow one, silence means nothing until it has proven otherwise. So it is asked while others wait, too.
   */
  #overtaken = 0;

  /** Watches until the connection is over. */
  static watch(rpc: RpcPeer, options: ResolvedKeepAliveOptions): void {
    const watch = new KeepAlive(rpc, options);
    const stop = watchActiveTime({
      sliceMs: watch.#sliceMs,
      onSlice: () => watch.#onSlice(),
      onWake: () => watch.#probeNow(),
    });
    void rpc.ended.then(stop);
  }

  private constructor(rpc: RpcPeer, { intervalMs, timeoutMs }: ResolvedKeepAliveOptions) {
    this.#rpc = rpc;
    this.#intervalMs = intervalMs;
    this.#timeoutMs = timeoutMs;
    this.#sliceMs = Math.min(this.#intervalMs, this.#timeoutMs) / SLICES;
  }

  #onSlice(): void {
    const { framesReceived, unanswered } = this.#rpc;
    const heard = framesReceived !== this.#framesSeen;
    this.#framesSeen = framesReceived;
    if (this.#probe) this.#judge(this.#probe, heard);
    else if (heard && unanswered.size <= this.#passable) this.#unprobedMs = 0;
    else {
      this.#unprobedMs += this.#sliceMs;
      if (this.#unprobedMs >= this.#intervalMs) this.#probeNow();
    }
  }

  #judge(probe: Probe, heard: boolean): void {
    if (heard) probe.waitedMs = 0;
    else if (this.#countWaiting(probe) <= this.#passable) probe.waitedMs += this.#sliceMs;
    if (probe.waitedMs >= this.#timeoutMs + this.#rpc.queuedBytes / SLOWEST_LINE) this.#giveUp();
  }

  /** One at a time; one that is under way gets its whole time again. */
  #probeNow(): void {
    if (this.#probe) {
      this.#probe.waitedMs = 0;
      return;
    }
    const probe: Probe = { ahead: [...this.#rpc.unanswered.keys()], waitedMs: 0 };
    this.#probe = probe;
    const onAnswer = (): void => {
      this.#overtaken = Math.max(this.#overtaken, this.#countWaiting(probe));
      this.#unprobedMs = 0;
      this.#probe = undefined;
    };
    // A refusal is a sign of life, too.
    void unobserved(this.#rpc.probe().then(onAnswer, onAnswer));
  }

  /** Behind how many waiting requests silence still means something. */
  get #passable(): number {
    return this.#rpc.canPing ? Math.max(this.#overtaken, PASSED_BY_PINGS) : this.#overtaken;
  }

  #countWaiting({ ahead }: Probe): number {
    return ahead.filter((id) => this.#rpc.unanswered.has(id)).length;
  }

  #giveUp(): void {
    const reason = `the server gave no sign of life within ${this.#timeoutMs} ms`;
    void this.#rpc.close(new DisconnectedError(reason, { sessionId: this.#rpc.sessionId }));
  }
}
