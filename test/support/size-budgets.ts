/** Maximum size of bundles of the root entry, in bytes after gzip. */
export const SIZE_BUDGETS = [
  { name: "the whole root entry", source: 'export * from "exec-server-sdk";', gzipped: 64_100 },
  {
    name: "LazyExecServerClient and webSocket",
    source: 'export { LazyExecServerClient, webSocket } from "exec-server-sdk";',
    gzipped: 59_500,
  },
  { name: "one error class", source: 'export { ConnectError } from "exec-server-sdk";', gzipped: 650 },
] as const;

/** Maximum size of the file for pages without a bundler, in bytes after gzip: the whole root entry, and its banner. */
export const MINIFIED_BUDGET = SIZE_BUDGETS[0].gzipped + 100;
