const PER_LINE = 16;

/** Shows bytes as lines of their offset, their values and their printable ASCII characters. */
export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += PER_LINE) {
    const line = [...bytes.subarray(at, at + PER_LINE)];
    const values = line.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const characters = line
      .map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : "·"))
      .join("");
    lines.push(`${at.toString(16).padStart(8, "0")}  ${values.padEnd(PER_LINE * 3)} ${characters}`);
  }
  return lines.join("\n");
}
