/** What a process in the server's sandbox wants of the network. */
export interface NetworkPolicyRequest {
  /** The process, by the id it was started with. */
  readonly processId: string;
  /** `"http"`, `"https_connect"`, `"socks5_tcp"` or `"socks5_udp"`. */
  readonly protocol: string;
  /** The name or address it wants to reach. */
  readonly host: string;
  /** The port it wants to reach. */
  readonly port: number;
}

/** What it may, in the protocol's words. A plain `"deny"` gives the reason `not_allowed`. */
export type NetworkPolicyDecision =
  | "allow"
  | "deny"
  | {
      /** What it may. */
      readonly type: "deny" | "ask";
      /** Why, in words; cut at 1024 bytes, the most the server takes. */
      readonly reason: string;
    };

/** Decides what a sandboxed process may reach. One that throws or rejects denies. */
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
