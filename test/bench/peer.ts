import type { Listener, NotificationParams, RpcClient } from "./rpc-client.ts";

/** Another library to compare with. */
export interface Peer {
  readonly name: string;
  connect(url: string): Promise<RpcClient>;
}

/** Initializes the session of a client. `notify` sends a notification. */
export async function initialize(
  name: string,
  call: RpcClient["call"],
  notify: (method: string, params: object) => unknown,
): Promise<void> {
  await call("initialize", { clientName: name, resumeSessionId: null });
  await notify("initialized", {});
}

/** Calls the listener for the process or request of a notification. */
export function dispatch(listeners: Map<string, Listener>, method: string, params: unknown): void {
  const { processId, requestId } = params as NotificationParams;
  listeners.get(processId ?? requestId ?? "")?.(method, params as NotificationParams);
}
