import type { OnReadOpts, Socket } from "node:net";

/** Bytes that a connection at rest keeps ready. */
const SMALL = 4 * 1024;
/** Bytes for what arrives in bulk: one system call reads many messages, and few of them lie across two reads. */
const LARGE = 256 * 1024;
/** Buffers of each size that are kept for the next read of any connection. */
const MAX_SPARE = 4;
/**
 * Buffers of one connection that can become spare. A message in several parts does not say where it ended, so buffers
 * under long messages are never found free; the garbage collector takes what is beyond this number.
 */
const MAX_TRACKED = 4;

const spare: Readonly<Record<number, Buffer[]>> = { [SMALL]: [], [LARGE]: [] };

/**
 * The memory that one TCP or TLS socket reads into, used again. Node would allocate 64 KiB for each read, which counts as
 * external memory: on a large heap V8 then collects all garbage, again and again, to free it.
 */
export class ReadBuffers {
  /** In the order of reading. The last one takes the next read. */
  readonly #tracked: Buffer[] = [];
  #size = SMALL;

  /** The option of `net.connect` and `tls.connect`. */
  readonly onread: OnReadOpts = {
    buffer: () => this.#next(),
    callback: pushTo((length, size) => this.#adapt(length, size)),
  };

  /**
   * Nothing refers to the bytes of this message any more, nor to those of any message before it. So whatever was read
   * before the buffer that holds the message is free. A message that was put together from several reads lies elsewhere.
   */
  release({ buffer }: Uint8Array): void {
    const tracked = this.#tracked;
    if (tracked[0]?.buffer === buffer) return;
    const holder = tracked.findIndex((each) => each.buffer === buffer);
    for (let freed = 0; freed < holder; freed++) {
      const memory = tracked.shift() as Buffer;
      const sameSize = spare[memory.length] as Buffer[];
      if (sameSize.length < MAX_SPARE) sameSize.push(memory);
    }
  }

  #next(): Buffer {
    const memory = spare[this.#size]?.pop() ?? Buffer.allocUnsafeSlow(this.#size);
    if (this.#tracked.push(memory) > MAX_TRACKED) this.#tracked.shift();
    return memory;
  }

  /** A full buffer means that more is waiting. */
  #adapt(length: number, size: number): void {
    if (length === size) this.#size = LARGE;
    else if (length <= SMALL) this.#size = SMALL;
  }
}

/** Passes what was read to the socket's own stream, as Node does with its own buffers. */
function pushTo(onRead: (length: number, size: number) => void): OnReadOpts["callback"] {
  return function (this: unknown, length, memory) {
    onRead(length, memory.length);
    return (this as Socket).push(memory.subarray(0, length));
  };
}
