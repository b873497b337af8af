import { invalid } from "../internal/arguments.ts";
import { guarded } from "../internal/guarded.ts";
import { aBoolean, aFunction, checkOptions, integer, oneOf, type Rules } from "../internal/option-rules.ts";
import type { NetworkDecision, ProcessStartParams } from "../protocol/process.ts";
import { restrictsNetwork, type SandboxContext } from "../protocol/sandbox.ts";

/**
 * Runs the process behind the server's proxy. The client's `onNetworkPolicyRequest` decides what it may reach; without
 * one, everything is denied. Programs learn of the proxy by HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and the like. Only a
 * sandbox that restricts the network keeps a program from going around it.
 */
export interface NetworkOptions {
  /** `"limited"` also denies HTTP methods other than GET, HEAD and OPTIONS. @default "full" */
  readonly mode?: "limited" | "full" | undefined;
  /**
   * Whether the process may reach loopback and private addresses. Programs reach them directly, without asking, unless
   * they ignore NO_PROXY; a sandbox that restricts the network allows only what goes through the proxy. @default false
   */
  readonly allowLocalBinding?: boolean | undefined;
  /**
   * Whether nothing but the proxy can be reached, which requires a sandbox that restricts the network. False with such a
   * sandbox: nothing can be reached, the proxy included. @default true if the sandbox restricts the network
   */
  readonly enforce?: boolean | undefined;
  /** Milliseconds after which what the handler has not decided is denied. @default 10_000 */
  readonly decisionTimeoutMs?: number | undefined;
  /** Called with every decision about the process. Its errors are ignored. @default none */
  readonly onDecision?: ((decision: NetworkDecision) => void) | undefined;
}

const RULES: Rules<NetworkOptions> = {
  mode: oneOf("limited", "full"),
  allowLocalBinding: aBoolean,
  enforce: aBoolean,
  decisionTimeoutMs: integer(1, 2 ** 31 - 1),
  onDecision: aFunction,
};

interface Options {
  readonly network?: NetworkOptions | undefined;
  readonly sandbox?: SandboxContext | null | undefined;
}

/** Throws a UsageError for invalid options. */
export function checkNetwork(caller: string, { network, sandbox }: Options): void {
  checkOptions(`${caller}: network`, network, RULES);
  if (network?.enforce && !restrictsNetwork(sandbox)) {
    invalid(
      `${caller}: network.enforce must be false without a sandbox that restricts the network, got true`,
    );
  }
}

/** The params for checked options; none without `network`. */
export function networkParams({ network, sandbox }: Options): Partial<ProcessStartParams> {
  if (!network) return {};
  const { mode = "full", allowLocalBinding = false } = network;
  const proxy = {
    enabled: true,
    enableSocks5: true,
    enableSocks5Udp: false,
    allowUpstreamProxy: false,
    dangerouslyAllowAllUnixSockets: false,
    mode,
    allowLocalBinding,
  };
  const enforceManagedNetwork = network.enforce ?? restrictsNetwork(sandbox);
  return {
    // The server waits 5 s longer (measured).
    networkProxy: { proxy, policyDecisionTimeoutMs: decisionTimeout(network) },
    enforceManagedNetwork,
  };
}

export function decisionTimeout({ decisionTimeoutMs = 10_000 }: NetworkOptions): number {
  return decisionTimeoutMs;
}

/** Reports the decisions to the caller. */
export function decisionListener({ network }: Options): (decision: NetworkDecision) => void {
  return (decision) => {
    if (network?.onDecision) guarded(network.onDecision, decision);
  };
}
