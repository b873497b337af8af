import type { LazyExecServerClient, StateChange } from "../../../src/index.ts";
import { Violation } from "../../support/violation.ts";

/** Connection attempts of all clients and their outcomes. */
export interface ConnectionCounts {
  readonly attempts: number;
  readonly connected: number;
  readonly failed: number;
  /** Cancelled because no caller was waiting any more. */
  readonly abandoned: number;
}

/** Counts the connection attempts of clients by their state changes. */
export class ConnectionCounter {
  readonly #onViolation: (violation: Violation) => void;
  readonly #sessions = new Set<string>();
  readonly #counts = { attempts: 0, connected: 0, failed: 0, abandoned: 0 };

  constructor(onViolation: (violation: Violation) => void) {
    this.#onViolation = onViolation;
  }

  watch(client: LazyExecServerClient): void {
    client.onStateChange((change) => this.#note(change));
  }

  get counts(): ConnectionCounts {
    return { ...this.#counts };
  }

  #note({ state, previous, sessionId = "", error }: StateChange): void {
    if (state === "connecting") this.#counts.attempts++;
    if (previous !== "connecting") return;
    if (state !== "connected") this.#counts[error ? "failed" : "abandoned"]++;
    else {
      this.#counts.connected++;
      if (this.#sessions.has(sessionId))
        this.#onViolation(new Violation(`session ${sessionId} was used twice`));
      this.#sessions.add(sessionId);
    }
  }
}
