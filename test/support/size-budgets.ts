/** Maximum size of bundles of the root entry, in bytes after gzip. */
export const SIZE_BUDGETS = [
  { name: "the whole root entry", source: 'export * from "exec-server-sdk";', gzipped: 46_000 },
  {
    name: "LazyExecServerClient and webSocket",
    source: 'export { LazyExecServerClient, webSocket } from "exec-server-sdk";',
    gzipped: 41_600,
  },
  { name: "one error class", source: 'export { ConnectError } from "exec-server-sdk";', gzipped: 650 },
] as const;
