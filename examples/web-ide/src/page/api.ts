/** Sends a request of the demo to the server of the page. */
async function request<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await fetch(path, init);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return (await response.json()) as T;
}

/** The exec-server of the demo. A frozen one is stopped, and continues when it thaws. */
export interface ServerStatus {
  readonly running: boolean;
  readonly frozen: boolean;
}

export type ServerAction = "kill" | "start" | "freeze" | "thaw";

/** The URL of the gateway and the subprotocols with the token. Fetched before every dial, so that the token is never stale. */
export const getConnection = (signal: AbortSignal): Promise<{ url: string; protocols: string[] }> =>
  request("/api/connection", { signal });
export const getWorkspace = (): Promise<{ root: string }> => request("/api/workspace");
export const getServer = (): Promise<ServerStatus> => request("/api/server");
export const controlServer = (action: ServerAction): Promise<ServerStatus> =>
  request(`/api/server/${action}`, { method: "POST" });
