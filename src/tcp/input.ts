import { type Bytes, concatBytes, randomId, utf8 } from "../internal/bytes.ts";
import { type Deferred, deferred, unobserved } from "../internal/deferred.ts";
import { Fifo } from "../internal/fifo.ts";
import type { RpcPeer } from "../rpc/peer.ts";
import { CREDIT } from "./relays/relays.ts";

/** The most bytes of one frame. */
const MAX_FRAME = 256 * 1024;

/** Frames that the relay has not passed on. The server's own queue has room for them, so no write blocks its connection. */
const MAX_FRAMES = 32;

/** Bytes that are not passed on above which a write waits. */
const MAX_OUTSTANDING = 4 * 1024 * 1024;

/** The process of a relay. */
export interface RelayProcess {
  readonly processId: string;
  readonly stdin: WritableStream<Uint8Array>;
  readonly exited: Promise<unknown>;
  readonly closed: Promise<{ readonly exitCode: number }>;
  [Symbol.asyncIterator](): AsyncIterator<{ readonly stream: string; readonly chunk: Bytes }>;
  write(data: Uint8Array): Promise<void>;
  terminate(): Promise<unknown>;
}

/** The standard input of a relay. */
export interface SocketInput {
  /** Resolves when more may be written. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when everything written and the end were passed on, as far as the relay reports it. */
  end(): Promise<void>;
  /** The relay has passed on the next frame, or the end. */
  passed(): void;
  /** Bytes of the output were read. */
  consumed(bytes: number): void;
  /** Nothing can be passed on any more. */
  fail(reason: unknown): void;
}

/** The input of a relay that reads the bytes themselves. The launcher of processes ends it, and holds its output back. */
export class PlainInput implements SocketInput {
  readonly #process: RelayProcess;
  readonly #passed = deferred<void>();
  #ending: Promise<void> | undefined;

  constructor(process: RelayProcess, reportsEnd: boolean) {
    this.#process = process;
    void unobserved(this.#passed.promise);
    if (!reportsEnd) this.passed();
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#process.write(bytes);
  }

  async end(): Promise<void> {
    this.#ending ??= this.#process.stdin.close();
    await this.#ending;
    await this.#passed.promise;
  }

  passed(): void {
    this.#passed.resolve();
  }

  consumed(): void {}

  fail(reason: unknown): void {
    this.#passed.reject(reason);
  }
}

/**
 * The input of a framed relay. Its frames are in flight together, which the requests of ordinary input are not: they
 * have numbers, because a server with concurrent requests does not keep their order. What is written while the most
 * frames are in flight is merged.
 */
export class FramedInput implements SocketInput {
  readonly #rpc: RpcPeer;
  readonly #processId: string;
  readonly #waiting = new Fifo<Uint8Array>();
  /** The lengths of the frames in flight. */
  readonly #sent = new Fifo<number>();
  #next = 0;
  #outstanding = 0;
  #room: Deferred<void> | undefined;
  #ended: Deferred<void> | undefined;
  #isEndSent = false;
  /** Bytes that were read since more was allowed. */
  #consumed = 0;

  constructor(rpc: RpcPeer, processId: string) {
    this.#rpc = rpc;
    this.#processId = processId;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += MAX_FRAME) {
      const piece = bytes.subarray(at, at + MAX_FRAME);
      this.#outstanding += piece.length;
      if (this.#sent.length < MAX_FRAMES && this.#waiting.length === 0) this.#sendFrame([piece]);
      // A copy: the caller may reuse the memory as soon as more may be written.
      else this.#waiting.push(piece.slice());
      if (this.#outstanding <= MAX_OUTSTANDING) continue;
      this.#room ??= deferred();
      await this.#room.promise;
    }
  }

  async end(): Promise<void> {
    this.#ended ??= deferred();
    this.#flush();
    await this.#ended.promise;
  }

  /** The relay has passed on the next frame. */
  passed(): void {
    this.#outstanding -= this.#sent.shift() ?? 0;
    if (this.#outstanding <= MAX_OUTSTANDING) {
      this.#room?.resolve();
      this.#room = undefined;
    }
    if (this.#isEndSent && this.#sent.length === 0) this.#ended?.resolve();
    this.#flush();
  }

  /** Allows the relay to send as much again. */
  consumed(bytes: number): void {
    this.#consumed += bytes;
    if (this.#consumed < CREDIT / 4) return;
    this.#send(utf8(`+${this.#consumed}\n`));
    this.#consumed = 0;
  }

  fail(reason: unknown): void {
    for (const pending of [this.#room, this.#ended]) {
      if (!pending) continue;
      void unobserved(pending.promise);
      pending.reject(reason);
    }
  }

  #flush(): void {
    while (this.#sent.length < MAX_FRAMES && this.#waiting.length > 0) this.#sendFrame(this.#takeWaiting());
    if (!this.#ended || this.#isEndSent || this.#waiting.length > 0 || this.#sent.length >= MAX_FRAMES)
      return;
    this.#isEndSent = true;
    this.#sendFrame([]);
  }

  #takeWaiting(): Uint8Array[] {
    let room = MAX_FRAME;
    return this.#waiting.shiftWhile(({ length }) => {
      room -= length;
      return room >= 0;
    });
  }

  #sendFrame(pieces: readonly Uint8Array[]): void {
    let length = 0;
    for (const piece of pieces) length += piece.length;
    this.#sent.push(length);
    this.#send(concatBytes([utf8(`${this.#next++} ${length}\n`), ...pieces]));
  }

  /** A write that fails shows in the end of the relay, or of its connection. */
  #send(bytes: Bytes): void {
    const params = { processId: this.#processId, writeId: randomId() };
    void unobserved(this.#rpc.call("process/write", params, { payload: { name: "chunk", bytes } }));
  }
}
