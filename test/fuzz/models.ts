import type { RpcResponse } from "./reference-decoder.ts";

type Members = Readonly<Record<string, unknown>>;

/** One chunk of output as the reader must receive it. */
export interface Chunk {
  readonly seq: number;
  readonly stream: string;
  /** One character for each byte. */
  readonly bytes: string;
}

/** How a stream ended; undefined while only the end of the connection can end it. */
export type StreamEnd = "clean" | "ERR_PROTOCOL" | "ERR_SERVER" | undefined;

/** Limits for events that are held back behind a missing one. */
const MAX_HELD_EVENTS = 256;
const MAX_HELD_BYTES = 1024 * 1024;

type ProcessEvent =
  | { readonly type: "output"; readonly chunk: Chunk }
  | { readonly type: "exited"; readonly exitCode: number }
  | { readonly type: "closed" };

/** The expected state of one process after its notifications. */
export class ProcessModel {
  readonly output: Chunk[] = [];
  /** The exit code of the first `process/exited`. */
  exitCode: number | undefined;
  /** The exit code of the last `process/exited`, with which `closed` must resolve. */
  lastExitCode: number | undefined;
  end: StreamEnd;
  readonly #held = new Map<number, ProcessEvent>();
  #heldBytes = 0;
  #next = 1;

  accept(method: string, params: Members): void {
    if (this.end) return;
    const event = eventOf(method, params);
    const seq = params["seq"];
    if (!event || !isInteger(seq)) this.end = "ERR_PROTOCOL";
    else if (seq >= this.#next && !this.#held.has(seq)) this.#take(seq, event);
  }

  #take(seq: number, event: ProcessEvent): void {
    if (seq > this.#next) {
      const isTooMuch =
        this.#held.size === MAX_HELD_EVENTS || this.#heldBytes + bytesOf(event) > MAX_HELD_BYTES;
      if (isTooMuch) this.end = "ERR_PROTOCOL";
      this.#held.set(seq, event);
      this.#heldBytes += bytesOf(event);
      return;
    }
    for (let next: ProcessEvent | undefined = event; next && !this.end; next = this.#held.get(this.#next)) {
      if (this.#held.delete(this.#next)) this.#heldBytes -= bytesOf(next);
      this.#next++;
      this.#publish(next);
    }
  }

  #publish(event: ProcessEvent): void {
    if (event.type === "output") {
      if (event.chunk.bytes.length > 0) this.output.push(event.chunk);
    } else if (event.type === "exited") {
      this.exitCode ??= event.exitCode;
      this.lastExitCode = event.exitCode;
    } else this.end = this.exitCode === undefined ? "ERR_PROTOCOL" : "clean";
  }
}

/** The expected state of one response body after its notifications. */
export class BodyModel {
  bytes = "";
  end: StreamEnd;
  #next = 1;

  accept({ seq, deltaBase64, done, error }: Members): void {
    if (this.end) return;
    const bytes = decode(deltaBase64);
    const isValid =
      bytes !== undefined && isInteger(seq) && isNullish(done, "boolean") && isNullish(error, "string");
    if (!isValid || seq !== this.#next++) this.end = "ERR_PROTOCOL";
    else if (typeof error === "string") this.end = "ERR_SERVER";
    else {
      this.bytes += bytes;
      if (done) this.end = "clean";
    }
  }
}

/** The expected outcome of one request: its first response decides. */
export class CallModel {
  response: RpcResponse | undefined;
  /** Whether the response is the unmutated one of a correct server. */
  isValid = false;

  accept(response: RpcResponse, isValid: boolean): void {
    this.response = response;
    this.isValid = isValid;
  }
}

function eventOf(method: string, params: Members): ProcessEvent | undefined {
  const { seq, stream, chunk, exitCode, sandboxDenied } = params;
  if (method === "process/closed") return { type: "closed" };
  if (method === "process/exited") {
    return isInteger(exitCode) && isNullish(sandboxDenied, "boolean")
      ? { type: "exited", exitCode }
      : undefined;
  }
  const bytes = decode(chunk);
  const isStream = stream === "stdout" || stream === "stderr" || stream === "pty";
  if (bytes === undefined || !isStream || !isInteger(seq)) return undefined;
  return { type: "output", chunk: { seq, stream, bytes } };
}

function bytesOf(event: ProcessEvent): number {
  return event.type === "output" ? event.chunk.bytes.length : 0;
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isNullish(value: unknown, orType: string): boolean {
  return value === undefined || value === null || typeof value === orType;
}

/** Decodes strict base64; undefined for every other value. */
function decode(value: unknown): string | undefined {
  if (typeof value !== "string" || /[^A-Za-z0-9+/=]/.test(value)) return undefined;
  const bytes = Buffer.from(value, "base64");
  return bytes.toString("base64") === value ? bytes.toString("latin1") : undefined;
}
