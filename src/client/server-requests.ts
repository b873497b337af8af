/** What a process in the server's sandbox wants of the network. */
export interface NetworkPolicyRequest {
  readonly processId: string;
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
}

export type NetworkPolicyDecision =
  | "allow"
  | "deny"
  | { readonly type: "deny" | "ask"; readonly reason: string };

export type NetworkPolicyHandler = (
  request: NetworkPolicyRequest,
) => NetworkPolicyDecision | PromiseLike<NetworkPolicyDecision>;

const DENIED = { type: "deny", reason: "not_allowed" } as const;
/** The server takes no longer reason, in bytes. */
const MAX_REASON = 1024;

/**
 * Answers what the server asks; undefined for what it can't ask. Without a handler, with a handler that fails, or for
 * a question that can't be read, the answer is a denial.
 */
export function answerServerRequest(
  method: string,
  params: unknown,
  decide: NetworkPolicyHandler | undefined,
): Promise<unknown> | undefined {
  if (method !== "network/policyRequest") return undefined;
  return decision(params, decide).then(
    (answer) => ({ decision: answer }),
    () => ({ decision: DENIED }),
  );
}

async function decision(params: unknown, decide: NetworkPolicyHandler | undefined) {
  const { processId, request } = (params ?? {}) as {
    processId?: unknown;
    request?: Partial<NetworkPolicyRequest>;
  };
  const { protocol, host, port } = request ?? {};
  const isReadable = [processId, protocol, host].every((member) => typeof member === "string");
  if (!decide || !isReadable || typeof port !== "number") return DENIED;
  const decided = await decide({ processId, protocol, host, port } as NetworkPolicyRequest);
  if (decided === "allow") return { type: "allow" };
  if (typeof decided !== "object" || typeof decided.reason !== "string") return DENIED;
  const { type, reason } = decided;
  return type === "deny" || type === "ask" ? { type, reason: cut(reason) } : DENIED;
}

/** As many whole characters as fit. */
function cut(reason: string): string {
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(MAX_REASON));
  return reason.slice(0, read);
}
