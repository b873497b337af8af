import { type ExecServerClient, ExecServerError, type LazyExecServerClient } from "exec-server-sdk";
import { byId } from "../page/dom.ts";
import { count, milliseconds, short } from "./words.ts";

export const CALLERS = 100;

/** Callers that asked for the client at the same moment. */
export interface Convergence {
  readonly at: number;
  /** Missing while they wait. */
  outcome?: string;
}

let dials = 0;

/** Counts the WebSockets of the page. */
export class CountedWebSocket extends WebSocket {
  constructor(url: string, protocols?: string[]) {
    super(url, protocols);
    dials++;
  }
}

/** The button for 100 concurrent callers, and what became of them. */
export function setUpCallers(options: {
  readonly client: LazyExecServerClient;
  readonly onChange: (convergence: Convergence) => void;
}): void {
  const { client, onChange } = options;
  const result = byId("callers-result");
  let isWaiting = false;
  byId("callers").addEventListener("click", async () => {
    if (isWaiting) return;
    isWaiting = true;
    const convergence: Convergence = { at: Date.now() };
    result.textContent = `${CALLERS} callers wait…`;
    const before = dials;
    const started = performance.now();
    const waiting = Array.from({ length: CALLERS }, () => client.get());
    onChange(convergence);
    const settled = await Promise.allSettled(waiting);
    const time = milliseconds(Math.round(performance.now() - started));
    convergence.outcome = `${CALLERS} callers · ${summarize(settled, dials - before)} · ${time}`;
    result.textContent = convergence.outcome;
    isWaiting = false;
    onChange(convergence);
  });
}

function summarize(settled: readonly PromiseSettledResult<ExecServerClient>[], dialled: number): string {
  const errors = new Set<unknown>();
  const clients = new Set<ExecServerClient>();
  for (const result of settled) {
    if (result.status === "rejected") errors.add(result.reason);
    else clients.add(result.value);
  }
  if (errors.size > 0) {
    const [error] = errors;
    const code = error instanceof ExecServerError ? ` · ${error.code}` : "";
    return `${dialled === 0 ? "no dial" : count(dialled, "failed dial")} · ${count(errors.size, "error object")}${code}`;
  }
  const sessions = [...clients].map(({ sessionId }) => short(sessionId));
  return `${dialled === 0 ? "no dial" : count(dialled, "dial")} · session ${sessions.join(", ")}`;
}
