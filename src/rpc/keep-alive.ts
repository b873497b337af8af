import { DisconnectedError } from "../errors/connection.ts";
import { watchActiveTime } from "../internal/active-interval.ts";
import { unobserved } from "../internal/deferred.ts";
import type { RequestId } from "../protocol/json-rpc.ts";
import type { RpcPeer } from "./peer.ts";

/** When a silent connection counts as dead. Other values than positive numbers are a UsageError `ERR_INVALID_ARGUMENT`. */
export interface KeepAliveOptions {
  /** Milliseconds without a frame from the server, after which a probe is sent. @default 30_000 */
  readonly intervalMs?: number | undefined;
  /** Milliseconds of silence after the probe, after which the connection ends with a DisconnectedError. @default 10_000 */
  readonly timeoutMs?: number | undefined;
}

export type ResolvedKeepAliveOptions = { readonly [Name in keyof KeepAliveOptions]-?: number };

interface Probe {
  /** The requests that were sent before the probe and pending at that time. */
  readonly olderRequests: readonly RequestId[];
  /** Milliseconds of conclusive silence since the probe was sent. */
  silentMs: number;
}

/**
 * The number of pending requests up to which silence after a ping is conclusive. Server 0.169.0 queues 128 requests
 * beside the one it works on. Then it stops reading, and answers no pings.
 */
const MAX_PENDING_FOR_PING = 128;

/**
 * The slowest upload that does not count as dead, in bytes per millisecond. A probe is sent behind everything that is
 * queued, so its timeout grows by the time that the queue needs at this speed.
 */
const MIN_UPLOAD_SPEED = 64;

/**
 * How often silence is checked within the shorter of interval and timeout. A pause of this program between two checks
 * may count as silence of the server.
 */
const CHECKS = 4;

/**
 * Detects a connection that is dead although its socket looks open, and ends it. Every frame is a sign of life. After an
 * interval of silence a probe is sent.
 *
 * Silence after a probe is not always conclusive: a server may work through its requests one by one, and answer the
 * probe after all older requests. So each answered probe measures how many older requests it has overtaken. Silence is
 * conclusive while at most that many older requests are pending. While more are pending, a probe is sent after each
 * interval even if frames arrive, to measure again.
 */
export class KeepAlive {
  readonly #rpc: RpcPeer;
  readonly #intervalMs: number;
  readonly #timeoutMs: number;
  readonly #checkMs: number;
  #framesSeen = 0;
  /**
   * Milliseconds since the last frame or the last answered probe. Frames do not reset it while silence would not be
   * conclusive.
   */
  #unprobedMs = 0;
  /** The probe in flight. */
  #probe: Probe | undefined;
  /** The most older requests that were still pending when a probe was answered. */
  #mostOvertaken = 0;

  /** Watches until the connection has ended. */
  static watch(rpc: RpcPeer, options: ResolvedKeepAliveOptions): void {
    const watch = new KeepAlive(rpc, options);
    const stop = watchActiveTime({
      sliceMs: watch.#checkMs,
      onSlice: () => watch.#check(),
      onWake: () => watch.#sendProbe(),
    });
    void rpc.ended.then(stop);
  }

  private constructor(rpc: RpcPeer, { intervalMs, timeoutMs }: ResolvedKeepAliveOptions) {
    this.#rpc = rpc;
    this.#intervalMs = intervalMs;
    this.#timeoutMs = timeoutMs;
    this.#checkMs = Math.min(this.#intervalMs, this.#timeoutMs) / CHECKS;
  }

  /** Runs after each `#checkMs` of active time. */
  #check(): void {
    // Nothing is read: the server may have sent its sign of life.
    if (this.#rpc.channel.isPaused) return;
    const { framesReceived, unanswered } = this.#rpc;
    const frameArrived = framesReceived !== this.#framesSeen;
    this.#framesSeen = framesReceived;
    if (this.#probe) this.#checkProbe(this.#probe, frameArrived);
    else if (frameArrived && unanswered.size <= this.#maxPending) this.#unprobedMs = 0;
    else {
      this.#unprobedMs += this.#checkMs;
      if (this.#unprobedMs >= this.#intervalMs) this.#sendProbe();
    }
  }

  #checkProbe(probe: Probe, frameArrived: boolean): void {
    if (frameArrived) probe.silentMs = 0;
    else if (this.#countOvertaken(probe) <= this.#maxPending) probe.silentMs += this.#checkMs;
    const timeoutMs = this.#timeoutMs + this.#rpc.channel.queuedBytes / MIN_UPLOAD_SPEED;
    if (probe.silentMs >= timeoutMs) this.#endConnection();
  }

  /** Sends a probe unless one is in flight. The timeout of that one starts again. */
  #sendProbe(): void {
    if (this.#probe) {
      this.#probe.silentMs = 0;
      return;
    }
    const probe: Probe = { olderRequests: [...this.#rpc.unanswered.keys()], silentMs: 0 };
    this.#probe = probe;
    const onAnswer = (): void => {
      this.#mostOvertaken = Math.max(this.#mostOvertaken, this.#countOvertaken(probe));
      this.#unprobedMs = 0;
      this.#probe = undefined;
    };
    // An error of the server is a sign of life, too.
    void unobserved(this.#rpc.probe().then(onAnswer, onAnswer));
  }

  /** The most pending requests with which silence is conclusive. */
  get #maxPending(): number {
    return this.#rpc.channel.canPing
      ? Math.max(this.#mostOvertaken, MAX_PENDING_FOR_PING)
      : this.#mostOvertaken;
  }

  /** The number of requests older than the probe that are still pending. */
  #countOvertaken({ olderRequests }: Probe): number {
    return olderRequests.filter((id) => this.#rpc.unanswered.has(id)).length;
  }

  #endConnection(): void {
    const reason = `the server gave no sign of life within ${this.#timeoutMs} ms`;
    void this.#rpc.disconnect(new DisconnectedError(reason, { sessionId: this.#rpc.sessionId }));
  }
}
