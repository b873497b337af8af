import type { OutputStreamName } from "../protocol/process.ts";

/** What the server tells about a process after its start. */
export type ProcessEvent =
  | {
      readonly type: "output";
      readonly seq: number;
      readonly stream: OutputStreamName;
      readonly chunk: Uint8Array;
    }
  | {
      readonly type: "exited";
      readonly seq: number;
      readonly exitCode: number;
      readonly sandboxDenied: boolean;
    }
  | { readonly type: "closed"; readonly seq: number };
