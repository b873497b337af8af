/** Maximum size of bundles of the root entry, in bytes after gzip. */
export const SIZE_BUDGETS = [
  { name: "the whole root entry", source: 'export * from "exec-server-sdk";', gzipped: 45_600 },
  {
    name: "LazyExecServerClient and webSocket",
    source: 'export { LazyExecServerClient, webSocket } from "exec-server-sdk";',
    gzipped: 41_300,
  },
  { name: "one error class", source: 'export { ConnectError } from "exec-server-sdk";', gzipped: 650 },
] as const;
