import { deadline, untilAborted } from "../internal/abort.ts";
import type { Awaitable } from "../internal/awaitable.ts";
import { textOf } from "../internal/bytes.ts";
import { platformClass } from "../internal/platform.ts";

/** A network access that a process attempts which was started with the option `network`. */
export interface NetworkPolicyRequest {
  /** The id with which the process was started. */
  readonly processId: string;
  /** `"http"`, `"https_connect"`, `"socks5_tcp"` or `"socks5_udp"`. */
  readonly protocol: string;
  /** The host name or address. */
  readonly host: string;
  /** The port number. */
  readonly port: number;
}

/** A denial with its reason. */
export interface NetworkPolicyDenial {
  /** The decision, as the protocol names it. */
  readonly type: "deny" | "ask";
  /** Why, as text. Cut at 1024 bytes, the longest reason that the server accepts. */
  readonly reason: string;
}

/** The answer to a {@link NetworkPolicyRequest}, in the words of the protocol. `"deny"` has the reason `not_allowed`. */
export type NetworkPolicyDecision = "allow" | "deny" | NetworkPolicyDenial;

/**
 * Decides what a process with the option `network` may reach. A handler that throws, rejects or takes longer than
 * `decisionTimeoutMs` denies.
 */
export type NetworkPolicyHandler = (request: NetworkPolicyRequest) => Awaitable<NetworkPolicyDecision>;

const DENIED = { type: "deny", reason: "not_allowed" } as const;

/** Bytes of the longest reason that the server accepts. */
const MAX_REASON_BYTES = 1024;

/**
 * Answers a request of the server. Returns undefined for an unknown method. The answer is a denial if there is no
 * handler, if the handler fails, or if the params are invalid.
 */
export function answerServerRequest(
  method: string,
  params: unknown,
  decide: NetworkPolicyHandler | undefined,
  timeoutOf: (processId: string) => number | undefined,
): Promise<unknown> | undefined {
  if (method !== "network/policyRequest") return undefined;
  return answer(params, decide, timeoutOf);
}

async function answer(
  params: unknown,
  decide: NetworkPolicyHandler | undefined,
  timeoutOf: (processId: string) => number | undefined,
): Promise<unknown> {
  const limit = deadline({
    ms: timeoutOf((params as { processId: string } | null)?.processId ?? ""),
    signal: undefined,
    timeoutError: () => new Error("the decision took too long"),
  });
  try {
    return { decision: await untilAborted(decision(params, decide), limit.signal) };
  } catch {
    return { decision: DENIED };
  } finally {
    limit.clear();
  }
}

async function decision(params: unknown, decide: NetworkPolicyHandler | undefined) {
  const { processId, request } = (params ?? {}) as {
    processId?: unknown;
    request?: Partial<NetworkPolicyRequest>;
  };
  const { protocol, host, port } = request ?? {};
  const isValid = [processId, protocol, host].every((member) => typeof member === "string");
  if (!decide || !isValid || typeof port !== "number") return DENIED;
  const decided = await decide({ processId, protocol, host, port } as NetworkPolicyRequest);
  if (decided === "allow") return { type: "allow" };
  if (typeof decided !== "object" || typeof decided.reason !== "string") return DENIED;
  const { type, reason } = decided;
  return type === "deny" || type === "ask" ? { type, reason: truncated(reason) } : DENIED;
}

/** Keeps as many whole characters as fit. Half of a surrogate pair becomes U+FFFD, because the server can't read it. */
function truncated(reason: string): string {
  const bytes = new Uint8Array(MAX_REASON_BYTES);
  const { written } = new (platformClass("TextEncoder"))().encodeInto(reason, bytes);
  return textOf(bytes.subarray(0, written));
}
