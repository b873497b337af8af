import type { LazyExecServerClient, StateChange } from "../../src/index.ts";
import { Violation } from "../support/violation.ts";

/** What a client tells of its connections. */
export interface Account {
  readonly attempts: number;
  /** Of the attempts: what came of them. */
  readonly connected: number;
  readonly failed: number;
  /** Given up because nobody waited any more. */
  readonly abandoned: number;
}

/** Keeps account of the clients of one stage, one after the other. */
export class Bookkeeper {
  readonly #sessions = new Set<string>();
  #attempts = 0;
  #connected = 0;
  #failed = 0;
  #abandoned = 0;

  watch(client: LazyExecServerClient): void {
    client.onStateChange((change) => this.#note(change));
  }

  get account(): Account {
    const [attempts, connected, failed, abandoned] = [
      this.#attempts,
      this.#connected,
      this.#failed,
      this.#abandoned,
    ];
    return { attempts, connected, failed, abandoned };
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  #note({ state, previous, sessionId = "", error }: StateChange): void {
    if (state === "connecting") this.#attempts++;
    if (previous !== "connecting") return;
    if (state === "connected") {
      this.#connected++;
      if (this.#sessions.has(sessionId)) throw new Violation(`session ${sessionId} came a second time`);
      this.#sessions.add(sessionId);
    } else if (error) this.#failed++;
    else this.#abandoned++;
  }
}

export function since(before: Account, now: Account): Account {
  return {
    attempts: now.attempts - before.attempts,
    connected: now.connected - before.connected,
    failed: now.failed - before.failed,
    abandoned: now.abandoned - before.abandoned,
  };
}
