/** A number of bytes for people, in units of 1024. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${round(bytes / 1024)} KiB`;
  return `${round(bytes / 1024 ** 2)} MiB`;
}

const round = (value: number): string => (value < 10 ? value.toFixed(1).replace(".0", "") : value.toFixed(0));
