import * as z from "zod/mini";
import { int } from "./int.ts";
import { payloadForm } from "./payload.ts";
import type { SandboxContext } from "./sandbox.ts";

export const processSchemas = /* @__PURE__ */ (() => ({
  startResult: z.looseObject({ processId: z.string() }),
  writeResult: z.looseObject({ status: z.enum(["accepted", "unknownProcess", "stdinClosed", "starting"]) }),
  readResult: z.looseObject({
    chunks: z.array(
      z.looseObject({ seq: int(), stream: z.enum(["stdout", "stderr", "pty"]), chunk: z.string() }),
    ),
    nextSeq: int(),
    exited: z.boolean(),
    exitCode: z.nullish(int()),
    closed: z.boolean(),
  }),
  signalResult: z.looseObject({}),
  terminateResult: z.looseObject({ running: z.boolean() }),
  output: z.object({
    processId: z.string(),
    seq: int(),
    stream: z.enum(["stdout", "stderr", "pty"]),
    chunk: z.string(),
  }),
  exited: z.object({
    processId: z.string(),
    seq: int(),
    exitCode: int(),
    /** Missing on servers before mid-2026. */
    sandboxDenied: z.nullish(z.boolean()),
  }),
  closed: z.object({ processId: z.string(), seq: int() }),
  policyDecision: z.looseObject({
    processId: z.string(),
    decision: z.string(),
    protocol: z.string(),
    host: z.string(),
    port: int(),
  }),
}))();

/** `process/output`. */
export const outputForm = /* @__PURE__ */ payloadForm(
  '{"method":"process/output","params":{"processId":"TEXT","seq":INTEGER,"stream":"(stdout|stderr|pty)","chunk":"BYTES"}}',
  ([, processId, seq, stream], chunk) => ({
    type: "notification",
    method: "process/output",
    params: { processId, seq: Number(seq), stream, chunk },
  }),
);

/** `"stdout"`, `"stderr"`, or `"pty"` for all output of a terminal. */
export type OutputStreamName = "stdout" | "stderr" | "pty";

/** A decision of the network policy about a process. Members that this version does not know are kept. */
export interface NetworkDecision {
  /** The id of the process. */
  readonly processId: string;
  /** `"allow"` or `"deny"`. */
  readonly decision: string;
  /** What decided: `"decider"` is the client's handler, `"baseline_policy"` and `"mode_guard"` are the server. */
  readonly source?: string;
  /** Why, such as `"not_allowed"`: for what the handler allowed, why it was asked. */
  readonly reason?: string;
  /** `"http"`, `"https_connect"`, `"socks5_tcp"` or `"socks5_udp"`. */
  readonly protocol: string;
  /** The host name or address. */
  readonly host: string;
  /** The port number. */
  readonly port: number;
  /** The HTTP method, if there is one. */
  readonly method?: string;
  /** The address from which the process connected to the proxy. */
  readonly client?: string;
  /** When it was decided, as an ISO 8601 text. */
  readonly timestamp?: string;
  /** What was decided on, such as `"domain"`. */
  readonly scope?: string;
  /** Whether the client's handler allowed what the server would have denied. */
  readonly policyOverride?: boolean;
  readonly [member: string]: unknown;
}

/** How the server builds the environment of a process before `env` is added. */
export interface EnvPolicy {
  /** Which variables of the server are inherited: all, a small core (PATH, HOME, …) or none. @default "all" */
  inherit?: "all" | "core" | "none" | undefined;
  /** Keeps variables whose names look like secrets (KEY, SECRET, TOKEN). @default false */
  ignoreDefaultExcludes?: boolean | undefined;
  /** Patterns of names to exclude, with `*` and `?`. @default [] */
  exclude?: readonly string[] | undefined;
  /** Variables to set. @default {} */
  set?: Readonly<Record<string, string>> | undefined;
  /** If not empty, only variables that match one of these patterns are kept. @default [] */
  includeOnly?: readonly string[] | undefined;
}

export interface ProcessStartParams {
  processId: string;
  argv: readonly string[];
  cwd: string;
  /** All members are required on the wire. */
  envPolicy: Required<EnvPolicy> | null;
  env: Record<string, string>;
  tty: boolean;
  pipeStdin: boolean;
  arg0: string | null;
  sandbox: SandboxContext | null;
  /** Whether the sandbox lets nothing but the proxy be reached. @default false */
  enforceManagedNetwork?: boolean;
  /** The proxy that the server starts for the process. @default none */
  networkProxy?: {
    proxy: {
      enabled: boolean;
      enableSocks5: boolean;
      enableSocks5Udp: boolean;
      allowUpstreamProxy: boolean;
      dangerouslyAllowAllUnixSockets: boolean;
      mode: "limited" | "full";
      allowLocalBinding: boolean;
    };
    /** Milliseconds. The server sends `network/policyRequest` only if it is given. */
    policyDecisionTimeoutMs: number;
  };
}

export interface ProcessReadParams {
  processId: string;
  /** @default 0 */
  afterSeq?: number | null;
  /** @default no limit */
  maxBytes?: number | null;
  /** Milliseconds to wait for new events; meanwhile other requests of the connection wait as well. @default 0 */
  waitMs?: number | null;
}

export interface ProcessWriteParams {
  processId: string;
  /** Base64. */
  chunk: string;
  /** The server performs a write once per id, even if the request arrives several times. */
  writeId: string;
}

export interface ProcessSignalParams {
  processId: string;
  signal: "interrupt";
}

export interface ProcessTerminateParams {
  processId: string;
}
