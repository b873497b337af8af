import {
  ExecServerError,
  type KeepAliveOptions,
  LazyExecServerClient,
  messagePort,
  type StateChange,
  webSocket,
} from "exec-server-sdk";

/** Of a gateway. */
export interface Address {
  readonly url: string;
  readonly protocols: readonly string[];
}

/** How something that hung on a connection ended. */
export interface Loss {
  readonly what: "output" | "exit" | "call" | "body";
  /** The error's code, or what happened instead. */
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

/** What the tests have a page, or its worker, do. Arguments and results are plain data. */
export class Scenario {
  readonly #newPort: () => MessagePort;
  #client: LazyExecServerClient | undefined;
  #dials = 0;
  #kept = new Uint8Array();
  readonly #changes: { state: string; sessionId?: string | undefined }[] = [];
  readonly #losses: Promise<Loss>[] = [];

  /** @param newPort One whose other side somebody bridges to the gateway. */
  constructor(newPort: () => MessagePort) {
    this.#newPort = newPort;
  }

  /** Makes the one client; without an address, on ports. Nothing connects. */
  prepare(address?: Address, keepAlive?: KeepAliveOptions): void {
    const dialling = <T>(dial: () => T) => {
      this.#dials++;
      return dial();
    };
    this.#client = new LazyExecServerClient({
      keepAlive,
      transport: address
        ? webSocket(() => dialling(() => address))
        : messagePort(() => dialling(this.#newPort)),
    });
    this.#client.onStateChange(({ state, sessionId }: StateChange) => {
      this.#changes.push({ state, sessionId });
    });
  }

  /** Looks, which never connects. */
  look(): { state: string; dials: number; changes: { state: string; sessionId?: string | undefined }[] } {
    return { state: this.#lazy.state, dials: this.#dials, changes: [...this.#changes] };
  }

  async session(): Promise<string> {
    return (await this.#lazy.get()).sessionId;
  }

  /** Why the client's connection ended, once it has. */
  async lost(): Promise<Failure> {
    return failureOf(await (await this.#lazy.get()).disconnected);
  }

  async echo(text: string): Promise<string> {
    return (await this.#lazy.run(["echo", text])).stdout.trim();
  }

  /** Starts a process that streams, a call that stays pending, and a body that goes on. Returns when output and body flow. */
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
    this.#losses.push(
      ending("output", process.sessionId, () => output.next()),
      ending("body", process.sessionId, () => body.read()),
      ending("call", process.sessionId, () => call),
      ending("exit", process.sessionId, () => process.exited),
    );
    return process.sessionId;
  }

  /** How all of that ended. */
  async losses(): Promise<Loss[]> {
    return await Promise.all(this.#losses.splice(0));
  }

  /** That many callers at once, of every kind. Returns the sessions they got, and how many were answered rightly. */
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

  /** That many callers at once while nothing is there. Returns how they failed, and how many error objects that were. */
  async failingCrowd(count: number): Promise<{ errors: number; failures: Failure[] }> {
    const outcomes = await Promise.allSettled(Array.from({ length: count }, () => this.#lazy.get()));
    const errors = new Set(outcomes.map((outcome) => outcome.status === "rejected" && outcome.reason));
    return { errors: errors.size, failures: [...errors].map(failureOf) };
  }

  /** Reads that much output of one process, and keeps it for `digest`. */
  async swallow(bytes: number): Promise<{ bytes: number; ms: number }> {
    const started = performance.now();
    this.#kept = new Uint8Array(bytes);
    const process = await this.#lazy.start(["sh", "-c", `yes 'line of output' | head -c ${bytes}`]);
    const output = process[Symbol.asyncIterator]();
    let length = 0;
    for (let next = await output.next(); !next.done; next = await output.next()) {
      this.#kept.set(next.value.chunk, length);
      length += next.value.chunk.length;
    }
    return { bytes: length, ms: performance.now() - started };
  }

  /** The hash of what was kept. */
  digest(): Promise<string> {
    return sha256(this.#kept);
  }

  /** Writes a file of random bytes there and reads it back. */
  async roundTrip(path: string, bytes: number): Promise<{ sent: string; received: string; ms: number }> {
    const data = new Uint8Array(bytes);
    for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(data.subarray(at, at + 65_536));
    const started = performance.now();
    await this.#lazy.fs.writeFile(path, data);
    const back = await this.#lazy.fs.readFile(path);
    const ms = performance.now() - started;
    return { sent: await sha256(data), received: await sha256(back), ms };
  }

  async close(): Promise<void> {
    await this.#lazy.close();
  }

  get #lazy(): LazyExecServerClient {
    if (!this.#client) throw new Error("prepare() comes first");
    return this.#client;
  }
}

/** Asks for more until it ends. What still hung when it ended would be missing from the losses for ever. */
async function ending(what: Loss["what"], expected: string, ask: () => Promise<unknown>): Promise<Loss> {
  try {
    for (;;) {
      const goesOn = ((await ask()) as { done?: boolean } | undefined)?.done === false;
      if (!goesOn) return { what, code: "ended without an error" };
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

/** A method of the scenario, called by its name: what crosses from test to page, and from page to worker. */
export type Call = { [K in keyof Scenario]: { name: K; args: Parameters<Scenario[K]> } }[keyof Scenario];

export function perform(scenario: Scenario, { name, args }: Call): unknown {
  return (scenario[name] as (...args: unknown[]) => unknown).apply(scenario, args);
}
