import type { Duplex } from "node:stream";
import { controlFrame, OPCODE } from "./frame.ts";

/** Writes that wait for the slower side, however short they are, before the faster one is paused. */
const MAX_QUEUED_WRITES = 256;
/** Pongs that a peer may leave unread. */
const MAX_PENDING_PONGS = 60;

const NO_PAYLOAD = new Uint8Array();

/** Writes the frames of one direction: those of data as they come, and control frames between them. */
export class FrameWriter {
  readonly #stream: Duplex;
  readonly #isClient: boolean;
  #hasSentClose = false;
  #pendingPongs = 0;
  /** Writes that have not left this process. */
  #inFlight = 0;
  #onDrained: (() => void)[] = [];
  bytesWritten = 0;

  readonly #onSent = (): void => {
    if (--this.#inFlight === 0) this.#resolveDrained();
  };
  readonly #onPongSent = (): void => {
    this.#pendingPongs--;
    this.#onSent();
  };

  /** @param isClient Whether frames are masked. */
  constructor(stream: Duplex, isClient: boolean) {
    this.#stream = stream;
    this.#isClient = isClient;
  }

  get hasSentClose(): boolean {
    return this.#hasSentClose;
  }

  /** Whether a pipe would pause, which also lets other pages have their turn during a flood. */
  get isHeldUp(): boolean {
    return this.#stream.writableNeedDrain || this.#inFlight > MAX_QUEUED_WRITES;
  }

  /** Resolves when everything written has left this process, or the stream is closed. */
  drained(): Promise<void> {
    if (this.#inFlight <= 0) return Promise.resolve();
    return new Promise((resolve) => this.onceDrained(resolve));
  }

  /** Calls the listener the next time that everything written has left this process, or when the stream is closed. */
  onceDrained(listener: () => void): void {
    this.#onDrained.push(listener);
  }

  /** Writes frames of data in parts that follow each other. */
  data(parts: readonly Buffer[]): void {
    // A close frame is the last one.
    if (this.#hasSentClose || !this.#stream.writable) return;
    const last = parts.length - 1;
    if (last > 0) this.#stream.cork();
    for (let i = 0; i < last; i++) this.#write(parts[i] as Buffer);
    this.#inFlight++;
    this.#write(parts[last] as Buffer, this.#onSent);
    if (last > 0) this.#stream.uncork();
  }

  ping(): void {
    this.#control(OPCODE.ping, NO_PAYLOAD, this.#onSent);
  }

  /** Writes a pong that answers no ping. */
  acknowledge(): void {
    this.#control(OPCODE.pong, NO_PAYLOAD, this.#onSent);
  }

  /** Answers a ping. Destroys the stream of a peer that reads no answers. */
  pong(payload: Buffer): void {
    if (this.#pendingPongs === MAX_PENDING_PONGS) {
      this.#stream.destroy();
      return;
    }
    this.#pendingPongs++;
    this.#control(OPCODE.pong, payload, this.#onPongSent);
  }

  /** Writes the close frame, behind what is queued; without a code if none is given. */
  close(code?: number, reason = ""): void {
    this.#control(OPCODE.close, code === undefined ? NO_PAYLOAD : closePayload(code, reason), this.#onSent);
    this.#hasSentClose = true;
  }

  /** The stream is closed: nothing is waited for any more. */
  end(): void {
    this.#inFlight = 0;
    this.#resolveDrained();
  }

  #control(opcode: number, payload: Uint8Array, onSent: () => void): void {
    if (this.#hasSentClose || !this.#stream.writable) return;
    this.#inFlight++;
    this.#write(controlFrame(opcode, payload, this.#isClient), onSent);
  }

  #write(bytes: Buffer, onSent?: () => void): void {
    this.bytesWritten += bytes.length;
    this.#stream.write(bytes, onSent);
  }

  #resolveDrained(): void {
    for (const listener of this.#onDrained.splice(0)) listener();
  }
}

function closePayload(code: number, reason: string): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  return payload;
}
