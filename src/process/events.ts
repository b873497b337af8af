import { decodeBase64 } from "../internal/base64.ts";
import type { Piece } from "../internal/byte-queue.ts";
import type { Bytes } from "../internal/bytes.ts";
import { readPayload } from "../protocol/payload.ts";
import { type OutputStreamName, outputForm, processSchemas } from "../protocol/process.ts";
import { Router } from "../rpc/router.ts";

/** One piece of output. */
export interface OutputChunk extends Piece {
  /** Its place among all events of the process. */
  readonly seq: number;
  /** Where it was written. */
  readonly stream: OutputStreamName;
}

/** What the server tells about a process after its start. */
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

export type ProcessRouter = Router<string, ProcessEvent>;

export function processRouter(): ProcessRouter {
  return new Router<string, ProcessEvent>(
    "processId",
    "string",
    {
      "process/output": (params) => {
        const { data } = processSchemas.output.safeParse(params);
        const chunk = data && decodeBase64(data.chunk);
        return chunk && { type: "output", seq: data.seq, stream: data.stream, chunk };
      },
      "process/exited": (params) => {
        const { data } = processSchemas.exited.safeParse(params);
        if (!data) return undefined;
        const { seq, exitCode, sandboxDenied } = data;
        return { type: "exited", seq, exitCode, sandboxDenied: sandboxDenied ?? false };
      },
      "process/closed": (params) => {
        const { data } = processSchemas.closed.safeParse(params);
        return data && { type: "closed", seq: data.seq };
      },
    },
    readOutput,
  );
}

function readOutput(frame: string | Uint8Array): { key: string; event: ProcessEvent } | undefined {
  const payload = readPayload(frame, outputForm);
  if (!payload) return undefined;
  const [, key = "", seq, stream] = payload.head;
  return {
    key,
    event: { type: "output", seq: Number(seq), stream: stream as OutputStreamName, chunk: payload.bytes },
  };
}
