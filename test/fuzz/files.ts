/** Simulated files of the server: `/files/SIZE/NAME` has SIZE bytes, and each byte follows from its offset. */

export function pathOf(size: number, name: string): string {
  return `/files/${size}/${name}`;
}

export function sizeOf(path: string): number {
  return Number(path.split("/")[2]);
}

export function contentOf(path: string, start = 0, length = Number.POSITIVE_INFINITY): Buffer {
  const size = sizeOf(path);
  const from = Math.min(start, size);
  const bytes = Buffer.alloc(Math.min(length, size - from));
  for (let at = 0; at < bytes.length; at++) bytes[at] = ((from + at) * 7 + size) & 0xff;
  return bytes;
}
