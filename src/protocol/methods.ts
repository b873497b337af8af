import type * as z from "zod/mini";
import { environmentSchemas, type InitializeParams } from "./environment.ts";
import {
  type ProcessSignalParams,
  type ProcessStartParams,
  type ProcessTerminateParams,
  type ProcessWriteParams,
  processSchemas,
} from "./process.ts";

interface Method<Params, Result> {
  readonly result: z.ZodMiniType<Result>;
  /** Types only; never present. */
  readonly params?: Params;
}

const method = <Params>() => {
  return <Result>(result: z.ZodMiniType<Result>): Method<Params, Result> => ({ result });
};

/** Every request the SDK sends: its params, and the schema its result must match. */
export const methods = /* @__PURE__ */ (() => ({
  initialize: method<InitializeParams>()(environmentSchemas.initializeResult),
  "environment/info": method<null>()(environmentSchemas.info),
  "environment/status": method<null>()(environmentSchemas.status),
  "process/start": method<ProcessStartParams>()(processSchemas.startResult),
  "process/write": method<ProcessWriteParams>()(processSchemas.writeResult),
  "process/signal": method<ProcessSignalParams>()(processSchemas.signalResult),
  "process/terminate": method<ProcessTerminateParams>()(processSchemas.terminateResult),
}))();

export type MethodName = keyof typeof methods;
export type ParamsOf<M extends MethodName> =
  NonNullable<(typeof methods)[M]["params"]> extends never
    ? null
    : Exclude<(typeof methods)[M]["params"], undefined>;
export type ResultOf<M extends MethodName> = z.infer<(typeof methods)[M]["result"]>;
