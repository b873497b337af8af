/** Sends a request of the demo to the server of the page. */
async function request<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await fetch(path, init);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return (await response.json()) as T;
}

export interface ServerStatus {
  readonly running: boolean;
}

/** The URL of the gateway and the subprotocols with the token. Fetched before every dial, so that the token is never stale. */
export const getConnection = (signal: AbortSignal): Promise<{ url: string; protocols: string[] }> =>
  request("/api/connection", { signal });
export const getWorkspace = (): Promise<{ root: string }> => request("/api/workspace");
export const getServer = (): Promise<ServerStatus> => request("/api/server");
export const killServer = (): Promise<ServerStatus> => request("/api/server/kill", { method: "POST" });
export const startServer = (): Promise<ServerStatus> => request("/api/server/start", { method: "POST" });
