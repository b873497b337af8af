import type { Duplex } from "node:stream";
import { settledWithin } from "../../internal/timer.ts";
import { MAX_UNANSWERED_PINGS, type PageLink, type PeerFault } from "../page-link.ts";
import { FrameError } from "./frame.ts";
import { FrameReader, type FrameReceiver } from "./frame-reader.ts";
import { FrameWriter } from "./frame-writer.ts";
import { Pieces } from "./pieces.ts";

/** Bytes read from a peer that has no target yet. Above this, reading pauses and TCP holds the peer up. */
const MAX_EARLY_BYTES = 64 * 1024;
/** Milliseconds that a peer may take to close its socket, once nothing is waited for any more. */
const CLOSE_GRACE_MS = 1_000;
/** The close code of a socket that ended without a close frame. */
const ABNORMAL = 1006;
/** That of a close frame without one. */
const NO_CODE = 1005;

export interface EndpointOptions {
  /** The side of this process. A client masks its frames and reads unmasked ones. */
  readonly role: "client" | "server";
  readonly maxMessageBytes: number;
  /** Called with the size of whatever arrives, before it is passed on. */
  readonly onArrival?: ((bytes: number) => void) | undefined;
}

/** How the frames of a peer ended. */
export interface EndpointEnd {
  /** That of its close frame, or of the frame sent to it for its error. */
  readonly closeCode: number;
  /** Whether a message was over the limit. */
  readonly tooLong: boolean;
  /** Why it was ended from this side. */
  readonly fault?: PeerFault | undefined;
}

/**
 * One side of a relay: the stream of a WebSocket after its handshake. Answers pings, pings, and closes with a handshake,
 * while frames of data go to another endpoint as they come, at its pace.
 */
export class Endpoint implements FrameReceiver, PageLink {
  readonly #stream: Duplex;
  readonly #onArrival: EndpointOptions["onArrival"];
  readonly #reader: FrameReader;
  readonly #writer: FrameWriter;
  #target: Endpoint | undefined;
  /** Frames that arrived before there was a target. */
  readonly #early = new Pieces();
  #isPaused = false;
  #isDiscarding = false;
  #end: EndpointEnd | undefined;
  #isClosed = false;
  #unansweredPings = 0;
  #isSilent = false;
  #onEnd: ((end: EndpointEnd) => void)[] = [];
  #onClosed: (() => void)[] = [];
  /** Bytes received from the peer after the handshake. */
  bytesRead = 0;
  onMessage = (): void => {};

  constructor(stream: Duplex, { role, maxMessageBytes, onArrival }: EndpointOptions) {
    this.#stream = stream;
    this.#onArrival = onArrival;
    this.#reader = new FrameReader(role === "server", maxMessageBytes, this);
    this.#writer = new FrameWriter(stream, role === "client");
    stream.on("error", () => {});
    stream.on("data", this.#onBytes);
    stream.on("end", this.#onStreamEnd);
    // Before the listeners of others: what has been read already, but not delivered, counts.
    stream.prependListener("close", this.#onStreamClose);
  }

  /** Frames of data that the peer has begun to send. */
  get receivedFrames(): number {
    return this.#reader.frames;
  }

  /** Bytes sent to the peer after the handshake. */
  get bytesWritten(): number {
    return this.#writer.bytesWritten;
  }

  get hasMissedPing(): boolean {
    return this.#unansweredPings > 0;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  onEnd(listener: (end: EndpointEnd) => void): void {
    if (this.#end) listener(this.#end);
    else this.#onEnd.push(listener);
  }

  closed(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isClosed) resolve();
      else this.#onClosed.push(resolve);
    });
  }

  /** Passes on what has arrived, and whatever comes, to `target`. */
  forwardTo(target: Endpoint): void {
    this.#target = target;
    const early = this.#early.take();
    this.#resume();
    if (early.length > 0) this.onData(early);
  }

  discard(): void {
    this.#isDiscarding = true;
    this.#early.take();
    this.#resume();
  }

  /** Leaves the stream, which flows to whichever listens next in the same turn. */
  release(): void {
    this.#stream.off("data", this.#onBytes);
    this.#stream.off("end", this.#onStreamEnd);
    this.#stream.off("close", this.#onStreamClose);
    this.#resume();
  }

  onData(parts: readonly Buffer[]): void {
    const target = this.#target;
    if (target) {
      target.#writer.data(parts);
      if (target.#writer.isHeldUp) this.#pauseUntilDrained(target);
      return;
    }
    if (this.#isDiscarding) return;
    for (const part of parts) this.#early.add(part);
    if (this.#early.length > MAX_EARLY_BYTES) this.#pause();
  }

  onPing(payload: Buffer): void {
    this.#writer.pong(payload);
  }

  onClose(closeCode: number): void {
    if (closeCode === NO_CODE) this.#sendClose();
    else this.close(closeCode);
    this.#finish({ closeCode, tooLong: false });
  }

  /** Sends a pong that answers no ping. */
  readonly acknowledge = (): void => this.#writer.acknowledge();

  /**
   * Pings the peer, or disconnects it when it has left too many pings unanswered. This detects a machine that lost its
   * network, and a peer that leaves while reading from it is paused: the end of such a socket shows only in a write.
   */
  beat(): void {
    // A write is pending already, and a slow peer would receive the ping only after it.
    if (this.#stream.writableLength > 0) return;
    if (this.#unansweredPings === MAX_UNANSWERED_PINGS) {
      this.#isSilent = true;
      this.#stream.destroy();
    } else this.#writer.ping();
    // While paused, nothing is read.
    if (!this.#isPaused) this.#unansweredPings++;
  }

  /** Resolves when everything written has left this process, or the stream is closed. */
  drained(): Promise<void> {
    return this.#writer.drained();
  }

  /** Starts the closing handshake, behind what is queued. Returns false when it had begun already. */
  close(code: number, reason = ""): boolean {
    const isOpen = !this.#writer.hasSentClose && this.#end === undefined;
    this.#sendClose(code, reason);
    return isOpen;
  }

  /** Resolves when the stream is closed: by the peer within a second, or else from this side. */
  async finish(): Promise<void> {
    // A peer that is held up could not be heard.
    this.#resume();
    await settledWithin(this.closed(), CLOSE_GRACE_MS);
    this.#stream.destroy();
    await this.closed();
  }

  readonly #onBytes = (chunk: Buffer): void => {
    this.#unansweredPings = 0;
    if (this.#end) return;
    this.bytesRead += chunk.length;
    this.#onArrival?.(chunk.length);
    const { frames, isInFrame } = this.#reader;
    try {
      this.#reader.read(chunk);
      if (isInFrame || this.#reader.frames !== frames) this.onMessage();
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.close(error.code, error.message);
      const tooLong = error.code === 1009;
      this.#finish({ closeCode: error.code, tooLong, fault: tooLong ? "message-too-long" : "protocol" });
    }
  };

  #sendClose(code?: number, reason?: string): void {
    this.#writer.close(code, reason);
    if (this.#end) this.#stream.end();
  }

  #pause(): void {
    this.#isPaused = true;
    this.#stream.pause();
  }

  #resume(): void {
    this.#isPaused = false;
    this.#stream.resume();
  }

  #pauseUntilDrained(target: Endpoint): void {
    this.#pause();
    // Also when the target has closed: the rest is then read up to its end.
    target.#writer.onceDrained(() => this.#resume());
  }

  /** The first end counts. After both close frames, or without any, this side of the stream ends. */
  #finish(end: EndpointEnd): void {
    if (this.#end) return;
    this.#end = end;
    for (const listener of this.#onEnd.splice(0)) listener(end);
    if (this.#writer.hasSentClose || end.closeCode === ABNORMAL) this.#stream.end();
  }

  readonly #onStreamEnd = (): void => this.#finish({ closeCode: ABNORMAL, tooLong: false });

  readonly #onStreamClose = (): void => {
    const { readableLength } = this.#stream;
    if (readableLength > 0) {
      const unread = this.#stream.read(readableLength) as Buffer | null;
      if (unread) this.#onBytes(unread);
    }
    this.#finish({ closeCode: ABNORMAL, tooLong: false, fault: this.#isSilent ? "silent" : undefined });
    this.#isClosed = true;
    this.#writer.end();
    for (const listener of this.#onClosed.splice(0)) listener();
  };
}
