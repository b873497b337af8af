import * as z from "zod/mini";
import { int } from "./int.ts";
import { payloadForm } from "./payload.ts";

/** Shapes of server 0.169.0. */
export const httpSchemas = /* @__PURE__ */ (() => {
  const header = z.looseObject({ name: z.string(), value: z.string() });
  return {
    requestResult: z.looseObject({
      status: int(),
      headers: z.array(header),
      bodyBase64: z.nullish(z.string()),
    }),
    bodyDelta: z.object({
      requestId: z.string(),
      seq: int(),
      deltaBase64: z.string(),
      done: z.nullish(z.boolean()),
      error: z.nullish(z.string()),
    }),
  };
})();

/** `http/request/bodyDelta`. */
export const bodyDeltaForm = /* @__PURE__ */ payloadForm(
  '{"method":"http/request/bodyDelta","params":{"requestId":"TEXT","seq":INTEGER,"deltaBase64":"BYTES","done":(true|false),"error":null}}',
  ([, requestId, seq], deltaBase64, [, done]) => ({
    type: "notification",
    method: "http/request/bodyDelta",
    params: { requestId, seq: Number(seq), deltaBase64, done: done === "true", error: null },
  }),
);

export interface HttpRequestParams {
  method: string;
  url: string;
  headers: readonly HttpHeader[];
  bodyBase64: string | null;
  /** Omitted for no timeout, as the server expects it. */
  timeoutMs?: number;
  redirectPolicy: "follow" | "stop";
  /** Identifies the notifications of the body; unique among the requests in flight. */
  requestId: string;
  /** Whether the body is sent in `http/request/bodyDelta` notifications, numbered from 1. */
  streamResponse: boolean;
}

export interface HttpHeader {
  name: string;
  value: string;
  /** A variable of the server's environment that holds the value; `value` is required all the same. */
  valueEnvVar?: string;
}
