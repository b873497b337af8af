import {
  ExecServerError,
  type KeepAliveOptions,
  LazyExecServerClient,
  messagePort,
  type StateChange,
  webSocket,
} from "exec-server-sdk";
import { type FeatureName, features, type Grounds } from "./features.ts";

/** The URL and subprotocols of a gateway. */
export interface Address {
  readonly url: string;
  readonly protocols: readonly string[];
}

/** The end of an operation that was pending on a connection. */
export interface Loss {
  readonly what: "output" | "exit" | "call" | "body" | "text";
  /** The code of the error, or a description if there was none. */
  readonly code: string;
  readonly sessionId?: string | undefined;
}

export interface Failure {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly closeCode?: number | undefined;
}

const decoder = new TextDecoder();

/** The operations of a page, worker or frame that tests call. Arguments and results are plain data. */
export class Scenario {
  readonly #newPort: () => MessagePort;
  #client: LazyExecServerClient | undefined;
  #dials = 0;
  #kept = new Uint8Array();
  readonly #changes: { state: string; sessionId?: string | undefined }[] = [];
  readonly #losses: Promise<Loss>[] = [];

  /** @param newPort Returns a port whose other side is bridged to the gateway. */
  constructor(newPort: () => MessagePort) {
    this.#newPort = newPort;
  }

  /** Creates the client, on ports if there is no address. Does not connect. */
  prepare(address?: Address, keepAlive?: KeepAliveOptions, connectTimeoutMs?: number): void {
    const dialling = <T>(dial: () => T) => {
      this.#dials++;
      return dial();
    };
    this.#client = new LazyExecServerClient({
      keepAlive,
      connectTimeoutMs,
      transport: address
        ? webSocket(() => dialling(() => address))
        : messagePort(() => dialling(this.#newPort)),
    });
    this.#client.onStateChange(({ state, sessionId }: StateChange) => {
      this.#changes.push({ state, sessionId });
    });
  }

  /** Returns the state of the client. Does not connect. */
  look(): { state: string; dials: number; changes: { state: string; sessionId?: string | undefined }[] } {
    return { state: this.#lazy.state, dials: this.#dials, changes: [...this.#changes] };
  }

  async session(): Promise<string> {
    return (await this.#lazy.get()).sessionId;
  }

  /** Resolves with the client's disconnect error when its connection has ended. */
  async lost(): Promise<Failure> {
    return failureOf(await (await this.#lazy.get()).disconnected);
  }

  async echo(text: string): Promise<string> {
    return (await this.#lazy.run(["echo", text])).stdout.trim();
  }

  /** Starts a streaming process, a call that stays pending and two endless bodies. Resolves when output and bodies have arrived. */
  async hang(origin: string, round: number): Promise<string> {
    const lazy = this.#lazy;
    const command = ["sh", "-c", "while echo tick; do sleep 0.02; done"];
    const process = await lazy.start(command);
    const output = process[Symbol.asyncIterator]();
    for (let seen = ""; seen.length < 15; ) seen += decoder.decode((await output.next()).value?.chunk);
    const call = lazy.fetch(`${origin}/never/${round}`);
    const body = (await lazy.fetch(`${origin}/drip/${round}`)).body?.getReader();
    if (!body) throw new Error("the response has no body");
    await body.read();
    const response = await lazy.fetch(`${origin}/drip/${round}`);
    this.#losses.push(
      ending("output", process.sessionId, () => output.next()),
      ending("body", process.sessionId, () => body.read()),
      // text() of the platform could replace the error by another one.
      ending("text", process.sessionId, () => response.text()),
      ending("call", process.sessionId, () => call),
      ending("exit", process.sessionId, () => process.exited),
    );
    return process.sessionId;
  }

  /** Resolves with the ends of everything that hang() has started. */
  async losses(): Promise<Loss[]> {
    return await Promise.all(this.#losses.splice(0));
  }

  /** Makes this many concurrent calls of every kind. Returns the sessions, and the number of correct results. */
  async crowd(count: number): Promise<{ sessions: string[]; answered: number; clients: number }> {
    const lazy = this.#lazy;
    const sessions = new Set<string>();
    const clients = new Set<unknown>();
    const callers: (() => Promise<boolean>)[] = [
      async () => {
        const client = await lazy.get();
        clients.add(client);
        sessions.add(client.sessionId);
        return true;
      },
      async () => {
        const process = await lazy.start(["echo", "here"]);
        sessions.add(process.sessionId);
        return (await process.exited).exitCode === 0;
      },
      async () => (await lazy.fs.stat("/")).isDirectory(),
      async () => (await lazy.info()).cwd !== "",
      async () => (await lazy.run(["echo", "there"])).stdout === "there\n",
    ];
    const all = Array.from({ length: count }, (_, n) => callers[n % callers.length]?.() ?? false);
    const answers = await Promise.all(all);
    return { sessions: [...sessions], answered: answers.filter(Boolean).length, clients: clients.size };
  }

  /** Makes this many concurrent calls to a server that is down. Returns the failures, and the number of error objects. */
  async failingCrowd(count: number): Promise<{ errors: number; failures: Failure[] }> {
    const outcomes = await Promise.allSettled(Array.from({ length: count }, () => this.#lazy.get()));
    const errors = new Set(outcomes.map((outcome) => outcome.status === "rejected" && outcome.reason));
    return { errors: errors.size, failures: [...errors].map(failureOf) };
  }

  /** Reads this many bytes of output of one process, and keeps them for digest(). */
  async readOutput(bytes: number): Promise<number> {
    this.#kept = new Uint8Array(bytes);
    const process = await this.#lazy.start(["sh", "-c", `yes 'line of output' | head -c ${bytes}`]);
    const output = process[Symbol.asyncIterator]();
    let length = 0;
    for (let next = await output.next(); !next.done; next = await output.next()) {
      this.#kept.set(next.value.chunk, length);
      length += next.value.chunk.length;
    }
    return length;
  }

  /** The SHA-256 hash of the kept output. */
  digest(): Promise<string> {
    return sha256(this.#kept);
  }

  /** Writes a file of random bytes and reads it back. */
  async roundTrip(path: string, bytes: number): Promise<{ sent: string; received: string }> {
    const data = new Uint8Array(bytes);
    for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(data.subarray(at, at + 65_536));
    await this.#lazy.fs.writeFile(path, data);
    const back = await this.#lazy.fs.readFile(path);
    return { sent: await sha256(data), received: await sha256(back) };
  }

  /** Uses one feature, and returns its report. */
  async use(feature: FeatureName, grounds: Grounds): Promise<unknown> {
    return await features[feature](this.#lazy, grounds);
  }

  async close(): Promise<void> {
    await this.#lazy.close();
  }

  get #lazy(): LazyExecServerClient {
    if (!this.#client) throw new Error("expected prepare() to be called first");
    return this.#client;
  }
}

/** Repeats an operation until it ends. An operation that never settles keeps losses() pending. */
async function ending(
  what: Loss["what"],
  expected: string,
  operation: () => Promise<unknown>,
): Promise<Loss> {
  try {
    for (;;) {
      const hasMore = ((await operation()) as { done?: boolean } | undefined)?.done === false;
      if (!hasMore) return { what, code: "ended without an error" };
    }
  } catch (error) {
    const sessionId = error instanceof ExecServerError ? error.sessionId : undefined;
    return { what, code: failureOf(error).code, sessionId: sessionId === expected ? "its own" : sessionId };
  }
}

function failureOf(error: unknown): Failure {
  const { name, code, message, closeCode } = error as Error & { code?: string; closeCode?: number };
  return { name, code: String(code), message, closeCode };
}

async function sha256(data: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", data as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A call of a method of the scenario, as sent from the test to the page and from the page to a worker or frame. */
export type Call = { [K in keyof Scenario]: { name: K; args: Parameters<Scenario[K]> } }[keyof Scenario];

export function perform(scenario: Scenario, { name, args }: Call): unknown {
  return (scenario[name] as (...args: unknown[]) => unknown).apply(scenario, args);
}
