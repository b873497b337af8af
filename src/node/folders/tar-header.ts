import { ProtocolError } from "../../errors/connection.ts";

/** Bytes of a header, and the unit that data is filled up to. */
export const BLOCK = 512;

/** The types of entries that folders consist of. Others, such as devices, are skipped. */
export type TarType = "file" | "directory" | "symlink" | "link" | "other";

/**
 * An entry of an archive. Names are bytes of any encoding: here, each character of a name is one byte, so that names that
 * are not UTF-8 are kept.
 */
export interface TarEntry {
  readonly type: TarType;
  readonly name: string;
  readonly size: number;
  readonly mode: number;
  /** Seconds since 1970. Negative for a time before. */
  readonly mtime: number;
  /** The target of a link. */
  readonly target: string;
}

const TYPES: Readonly<Record<string, TarType>> = {
  "\0": "file",
  "0": "file",
  "7": "file",
  "1": "link",
  "2": "symlink",
  "5": "directory",
};
const FLAGS = { file: "0", directory: "5", symlink: "2", link: "1", other: "0" } as const;

/** Fields of the header: the offset and the length of each. */
const NAME = [0, 100] as const;
const MODE = [100, 8] as const;
const SIZE = [124, 12] as const;
const MTIME = [136, 12] as const;
const CHECKSUM = [148, 8] as const;
const FLAG = [156, 1] as const;
const TARGET = [157, 100] as const;
const MAGIC = [257, 8] as const;
const PREFIX = [345, 155] as const;

type Field = readonly [offset: number, length: number];

/**
 * The header of an entry. Long names stand before it as GNU writes them, because not every program that unpacks knows the
 * newer form (busybox does not).
 */
export function encodeHeader(entry: TarEntry): Buffer {
  const { type, name, size, mode, mtime, target } = entry;
  const long = [longName("K", target, TARGET), longName("L", name, NAME)];
  return Buffer.concat([...long, header(FLAGS[type], name, target, size, mode, mtime)]);
}

function longName(flag: "K" | "L", name: string, [, length]: Field): Buffer {
  if (name.length <= length) return Buffer.alloc(0);
  const data = Buffer.from(`${name}\0`, "latin1");
  const head = header(flag, "././@LongLink", "", data.length, 0, 0);
  return Buffer.concat([head, data, Buffer.alloc(padding(data.length))]);
}

function header(
  flag: string,
  name: string,
  target: string,
  size: number,
  mode: number,
  mtime: number,
): Buffer {
  const block = Buffer.alloc(BLOCK);
  const put = ([offset, length]: Field, text: string): void => {
    block.write(text.slice(0, length), offset, "latin1");
  };
  put(NAME, name);
  put(MODE, octal(mode, 7));
  put([108, 8], octal(0, 7));
  put([116, 8], octal(0, 7));
  const putNumber = (field: Field, value: number): void => {
    const [start, length] = field;
    if (value >= 0 && value < 8 ** 11) put(field, octal(value, 11));
    else {
      block.fill(0xff, start, start + length);
      block.writeBigInt64BE(BigInt(Math.floor(value)), start + length - 8);
      if (value >= 0) block.writeUInt32BE(0x80 * 2 ** 24, start);
    }
  };
  putNumber(SIZE, size);
  putNumber(MTIME, mtime);
  put(FLAG, flag);
  put(TARGET, target);
  put(MAGIC, "ustar  \0");
  put(CHECKSUM, `${octal(checksum(block), 6)}\0 `);
  return block;
}

const octal = (value: number, digits: number): string => Math.floor(value).toString(8).padStart(digits, "0");

/** The number of zeros after data of this size. */
export const padding = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK;

/** The sum of the header's bytes, with spaces in place of the sum itself. */
function checksum(block: Uint8Array): number {
  const [start, length] = CHECKSUM;
  let sum = 32 * length;
  for (let at = 0; at < block.length; at++) {
    if (at < start || at >= start + length) sum += block[at] as number;
  }
  return sum;
}

/** Throws for what is no number. */
export function aNumber(value: number): number {
  if (!Number.isFinite(value)) throw new ProtocolError("the archive has a header with an invalid number");
  return value;
}

/** An entry, and the flag of its header, which can be one of an extension. Undefined for an empty block. */
export function decodeHeader(block: Buffer): (TarEntry & { readonly flag: string }) | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  const text = ([offset, length]: Field): string =>
    block.toString("latin1", offset, offset + length).replace(/\0.*$/s, "");
  const number = (field: Field): number => {
    const [offset, length] = field;
    const [first = 0] = block.subarray(offset);
    // GNU's forms of numbers that have too many digits, and of negative ones.
    if (first === 0x80) return Number(BigInt.asUintN(63, block.readBigUInt64BE(offset + length - 8)));
    if (first === 0xff) return Number(block.readBigInt64BE(offset + length - 8));
    return aNumber(Number.parseInt(text(field).trim() || "0", 8));
  };
  if (number(CHECKSUM) !== checksum(block))
    throw new ProtocolError("the archive has a header with a wrong checksum");
  const flag = block.toString("latin1", FLAG[0], FLAG[0] + 1);
  // Only POSIX headers have a prefix.
  const prefix = block.toString("latin1", MAGIC[0], MAGIC[0] + 6) === "ustar\0" ? text(PREFIX) : "";
  return {
    flag,
    type: TYPES[flag] ?? "other",
    name: prefix ? `${prefix}/${text(NAME)}` : text(NAME),
    size: number(SIZE),
    mode: number(MODE),
    mtime: number(MTIME),
    target: text(TARGET),
  };
}
