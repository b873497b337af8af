import { encodeHeader, padding, type TarEntry } from "./tar-header.ts";

/** Bytes of a piece of the archive: a block of the protocol. */
const PIECE = 1024 * 1024;

/** An entry, and the data of a file: as many bytes as its size. */
export interface TarSource extends TarEntry {
  data(): AsyncIterable<Buffer> | Iterable<Buffer>;
}

/** Writes an archive in pieces of 1 MiB, each of its own memory. */
export async function* writeTar(entries: AsyncIterable<TarSource>): AsyncGenerator<Buffer, void> {
  let piece = Buffer.allocUnsafeSlow(PIECE);
  let length = 0;
  const put = function* (bytes: Buffer): Generator<Buffer, void> {
    for (let at = 0; at < bytes.length; ) {
      const copied = bytes.copy(piece, length, at);
      at += copied;
      length += copied;
      if (length < PIECE) continue;
      yield piece;
      piece = Buffer.allocUnsafeSlow(PIECE);
      length = 0;
    }
  };
  for await (const entry of entries) {
    yield* put(encodeHeader(entry));
    for await (const bytes of entry.data()) yield* put(bytes);
    yield* put(Buffer.alloc(padding(entry.size)));
  }
  // Two empty blocks.
  yield* put(Buffer.alloc(1024));
  yield piece.subarray(0, length);
}
