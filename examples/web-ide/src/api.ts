/** The demo's own requests to the server that the page came from. */
async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await fetch(path, init);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return (await response.json()) as T;
}

export interface ServerStatus {
  readonly running: boolean;
}

/** Where the gateway is, and the token for it: asked before every dial, so that it is never stale. */
export const getConnection = (signal: AbortSignal): Promise<{ url: string; protocols: string[] }> =>
  ask("/api/connection", { signal });
export const getWorkspace = (): Promise<{ root: string }> => ask("/api/workspace");
export const getServer = (): Promise<ServerStatus> => ask("/api/server");
export const killServer = (): Promise<ServerStatus> => ask("/api/server/kill", { method: "POST" });
export const startServer = (): Promise<ServerStatus> => ask("/api/server/start", { method: "POST" });
