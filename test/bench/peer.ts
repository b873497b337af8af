import type { Listener, Notified, RpcClient } from "./rpc-client.ts";

/** A library that somebody might use instead. */
export interface Peer {
  readonly name: string;
  connect(url: string): Promise<RpcClient>;
}

/** The session of a client: `notify` sends what has no answer. */
export async function initialize(
  name: string,
  call: RpcClient["call"],
  notify: (method: string, params: object) => unknown,
): Promise<void> {
  await call("initialize", { clientName: name, resumeSessionId: null });
  await notify("initialized", {});
}

/** Brings a notification to whom it is about. */
export function pass(listeners: Map<string, Listener>, method: string, params: unknown): void {
  const { processId, requestId } = params as Notified;
  listeners.get(processId ?? requestId ?? "")?.(method, params as Notified);
}
