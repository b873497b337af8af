/** What a page loads for the parts of the root entry it uses, and how much that may be, in bytes after gzip. */
export const SIZE_BUDGETS = [
  { name: "the whole root entry", source: 'export * from "exec-server-sdk";', gzipped: 33_500 },
  {
    name: "LazyExecServerClient and webSocket",
    source: 'export { LazyExecServerClient, webSocket } from "exec-server-sdk";',
    gzipped: 29_200,
  },
  { name: "one error class", source: 'export { ConnectError } from "exec-server-sdk";', gzipped: 650 },
] as const;
