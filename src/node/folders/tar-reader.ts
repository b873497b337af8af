import { ProtocolError } from "../../errors/connection.ts";
import { aNumber, BLOCK, decodeHeader, padding, type TarEntry } from "./tar-header.ts";

/** The most that the extension of a header, such as a long name, may have. */
const MAX_EXTENSION = 1024 * 1024;

/** An entry whose data is read with `data` before the next entry. Data that is not read is skipped. */
export interface TarItem extends TarEntry {
  data(): AsyncGenerator<Buffer, void>;
}

/** Reads an archive as it arrives. Rejects if it ends before its end mark. */
export async function* readTar(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TarItem, void> {
  const input = new Input(chunks);
  let extension: Partial<TarEntry> = {};
  try {
    for (;;) {
      const header = decodeHeader(await input.exactly(BLOCK));
      if (!header) break;
      const { flag, ...own } = header;
      checkSize(own.size);
      if (/[LKxg]/.test(flag)) {
        if (own.size > MAX_EXTENSION) throw new ProtocolError("the archive has a header that is too long");
        const data = await input.exactly(own.size);
        await input.exactly(padding(own.size));
        extension = { ...extension, ...extended(flag, data) };
        continue;
      }
      const entry = { ...own, ...extension };
      extension = {};
      checkSize(entry.size);
      let left = entry.type === "file" || entry.type === "other" ? entry.size : 0;
      yield {
        ...entry,
        async *data() {
          while (left > 0) {
            const piece = await input.atMost(left);
            left -= piece.length;
            yield piece;
          }
        },
      };
      while (left > 0) left -= (await input.atMost(left)).length;
      if (entry.type === "file" || entry.type === "other") await input.exactly(padding(entry.size));
    }
    // To the end, so that the other side can report its own failure.
    await input.drain();
  } finally {
    await input.close();
  }
}

function checkSize(size: number): void {
  if (!Number.isSafeInteger(size) || size < 0)
    throw new ProtocolError("the archive has an entry with an invalid size");
}

/** What an extension says of the entry behind it. */
function extended(flag: string, data: Buffer): Partial<TarEntry> {
  const text = data.toString("latin1");
  if (flag === "L") return { name: text.replace(/\0.*$/s, "") };
  if (flag === "K") return { target: text.replace(/\0.*$/s, "") };
  const found: Record<string, string | number> = {};
  // Records of "LENGTH NAME=VALUE\n"; the length counts the whole record.
  for (let at = 0; flag === "x" && at < text.length; ) {
    const [start = "", length = "", key = ""] = /^(\d+) ([^=]*)=/.exec(text.slice(at, at + 200)) ?? [];
    const end = at + Number(length);
    if (start === "" || end > text.length || end <= at)
      throw new ProtocolError("the archive has an invalid header");
    const value = text.slice(at + start.length, end - 1);
    if (key.startsWith("GNU.sparse"))
      throw new ProtocolError("the archive has a file with holes, which is not supported");
    if (key === "path") found["name"] = value;
    else if (key === "linkpath") found["target"] = value;
    else if (key === "size") found["size"] = aNumber(Number(value));
    else if (key === "mtime") found["mtime"] = Math.floor(aNumber(Number(value)));
    at = end;
  }
  return found;
}

/** Bytes taken from chunks of any size. */
class Input {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunk: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#source = chunks[Symbol.asyncIterator]();
  }

  async atMost(length: number): Promise<Buffer> {
    if (this.#chunk.length === 0 && !(await this.#fill())) throw new ProtocolError("the archive ends early");
    const piece = this.#chunk.subarray(0, length);
    this.#chunk = this.#chunk.subarray(piece.length);
    return piece;
  }

  async exactly(length: number): Promise<Buffer> {
    if (length === 0) return Buffer.alloc(0);
    const first = await this.atMost(length);
    if (first.length === length) return first;
    const pieces = [first];
    for (let missing = length - first.length; missing > 0; ) {
      const piece = await this.atMost(missing);
      pieces.push(piece);
      missing -= piece.length;
    }
    return Buffer.concat(pieces);
  }

  async drain(): Promise<void> {
    while (await this.#fill());
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #fill(): Promise<boolean> {
    for (;;) {
      const { done, value } = await this.#source.next();
      if (done) return false;
      this.#chunk = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      if (value.length > 0) return true;
    }
  }
}
