import type { LazyExecServerClient, StateChange } from "../../../src/index.ts";
import { Violation } from "../../support/violation.ts";

/** What clients tell of their connections. */
export interface Account {
  readonly attempts: number;
  /** Of the attempts: what came of them. */
  readonly connected: number;
  readonly failed: number;
  /** Given up because nobody waited any more. */
  readonly abandoned: number;
}

/** Keeps account of clients, one after the other. */
export class Bookkeeper {
  readonly #onViolation: (violation: Violation) => void;
  readonly #sessions = new Set<string>();
  readonly #account = { attempts: 0, connected: 0, failed: 0, abandoned: 0 };

  constructor(onViolation: (violation: Violation) => void) {
    this.#onViolation = onViolation;
  }

  watch(client: LazyExecServerClient): void {
    client.onStateChange((change) => this.#note(change));
  }

  get account(): Account {
    return { ...this.#account };
  }

  #note({ state, previous, sessionId = "", error }: StateChange): void {
    if (state === "connecting") this.#account.attempts++;
    if (previous !== "connecting") return;
    if (state !== "connected") this.#account[error ? "failed" : "abandoned"]++;
    else {
      this.#account.connected++;
      if (this.#sessions.has(sessionId)) this.#onViolation(new Violation(`session ${sessionId} came again`));
      this.#sessions.add(sessionId);
    }
  }
}
