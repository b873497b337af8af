import { ProtocolError, UsageError } from "../errors.ts";
import { decodeBase64 } from "../internal/base64.ts";
import { processSchemas } from "../protocol/process.ts";
import type { ConnectionFailure } from "../rpc/failure.ts";
import type { ProcessEvent } from "./events.ts";

/** Where the events of one process go. */
export interface ProcessRoute {
  accept(event: ProcessEvent): void;
  fail(error: Error): void;
}

/** Parsers of the notifications; each returns undefined for params of the wrong shape. */
const parsers: Record<string, (params: unknown) => ProcessEvent | undefined> = {
  "process/output": (params) => {
    const { data } = processSchemas.output.safeParse(params);
    const chunk = data && decodeBase64(data.chunk);
    return chunk && { type: "output", seq: data.seq, stream: data.stream, chunk };
  },
  "process/exited": (params) => {
    const { data } = processSchemas.exited.safeParse(params);
    return (
      data && {
        type: "exited",
        seq: data.seq,
        exitCode: data.exitCode,
        sandboxDenied: data.sandboxDenied ?? false,
      }
    );
  },
  "process/closed": (params) => {
    const { data } = processSchemas.closed.safeParse(params);
    return data && { type: "closed", seq: data.seq };
  },
};

/** Brings the process notifications of one connection to the processes they are about. */
export class ProcessRouter {
  readonly #routes = new Map<string, ProcessRoute>();

  /** Returns what takes the route away again. */
  add(processId: string, route: ProcessRoute): () => void {
    if (this.#routes.has(processId)) {
      throw new UsageError("ERR_INVALID_ARGUMENT", "A process with this processId is already running");
    }
    this.#routes.set(processId, route);
    return () => {
      // The id may belong to a later process by now.
      if (this.#routes.get(processId) === route) this.#routes.delete(processId);
    };
  }

  /** Notifications about other things, or about processes nobody knows, are ignored. */
  accept(method: string, params: unknown): void {
    const parse = Object.hasOwn(parsers, method) ? parsers[method] : undefined;
    if (!parse) return;
    const processId = (params as { processId?: unknown } | null | undefined)?.processId;
    if (typeof processId !== "string") throw new ProtocolError(`A ${method} notification names no process`);
    const route = this.#routes.get(processId);
    if (!route) return;
    const event = parse(params);
    if (event) route.accept(event);
    else route.fail(new ProtocolError(`A ${method} notification has the wrong shape`));
  }

  failAll(failure: ConnectionFailure): void {
    const routes = [...this.#routes.values()];
    this.#routes.clear();
    for (const route of routes) route.fail(failure);
  }
}
