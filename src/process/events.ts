import type { Piece } from "../internal/byte-queue.ts";
import type { Bytes } from "../internal/bytes.ts";
import { decoded } from "../protocol/encoded-bytes.ts";
import { type NetworkDecision, type OutputStreamName, processSchemas } from "../protocol/process.ts";
import { type NotificationSource, Router, reader } from "../rpc/router.ts";

/** One chunk of output. */
export interface OutputChunk extends Piece {
  /** Sequence number among all events of the process. */
  readonly seq: number;
  /** The stream that the process wrote to. */
  readonly stream: OutputStreamName;
}

/** The notifications that the server sends about a process after its start. */
export type ProcessEvent =
  | {
      readonly type: "output";
      readonly seq: number;
      readonly stream: OutputStreamName;
      readonly chunk: Bytes;
    }
  | {
      readonly type: "exited";
      readonly seq: number;
      readonly exitCode: number;
      readonly sandboxDenied: boolean;
    }
  | { readonly type: "closed"; readonly seq: number };

/** A decision about the process, which is in no order with its events. */
export interface DecisionEvent {
  readonly type: "decision";
  readonly decision: NetworkDecision;
}

export type ProcessRouter = Router<string, ProcessEvent | DecisionEvent>;

const outputSchema = /* @__PURE__ */ (() => decoded(processSchemas.output, "chunk"))();

/** Routes the notifications of the peer by process. */
export function processRouter(peer: NotificationSource): ProcessRouter {
  return new Router<string, ProcessEvent | DecisionEvent>(peer, "processId", "string", {
    "process/output": reader(outputSchema, ({ seq, stream, chunk }) => ({
      type: "output",
      seq,
      stream,
      chunk,
    })),
    "process/exited": reader(processSchemas.exited, ({ seq, exitCode, sandboxDenied }) => ({
      type: "exited",
      seq,
      exitCode,
      sandboxDenied: sandboxDenied ?? false,
    })),
    "network/policyDecision": reader(processSchemas.policyDecision, (decision) => ({
      type: "decision",
      decision,
    })),
    "process/closed": reader(processSchemas.closed, ({ seq }) => ({ type: "closed", seq })),
  });
}
