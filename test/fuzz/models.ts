import type { Answer } from "./reading.ts";

type Members = Readonly<Record<string, unknown>>;

/** One piece of output as its reader must get it. */
export interface Piece {
  readonly seq: number;
  readonly stream: string;
  /** One character for each byte. */
  readonly bytes: string;
}

/** How something ended by itself; undefined for what only the end of the connection ends. */
export type End = "clean" | "ERR_PROTOCOL" | "ERR_SERVER" | undefined;

/** Too much waits behind a missing event. */
const MAX_HELD_EVENTS = 256;
const MAX_HELD_BYTES = 1024 * 1024;

type ProcessEvent =
  | { readonly type: "output"; readonly piece: Piece }
  | { readonly type: "exited"; readonly exitCode: number }
  | { readonly type: "closed" };

/** What must come of the notifications about one process. */
export class ProcessModel {
  readonly output: Piece[] = [];
  /** The first that was told. */
  exitCode: number | undefined;
  /** The one that counts at the end. */
  lastExitCode: number | undefined;
  end: End;
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
      if (event.piece.bytes.length > 0) this.output.push(event.piece);
    } else if (event.type === "exited") {
      this.exitCode ??= event.exitCode;
      this.lastExitCode = event.exitCode;
    } else this.end = this.exitCode === undefined ? "ERR_PROTOCOL" : "clean";
  }
}

/** What must come of the notifications about one response body. */
export class BodyModel {
  bytes = "";
  end: End;
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

/** What must come of a request: the first answer counts. */
export class CallModel {
  answer: Answer | undefined;
  /** Whether that was exactly what a sound server answers. */
  isSound = false;

  accept(answer: Answer, isSound: boolean): void {
    this.answer = answer;
    this.isSound = isSound;
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
  return { type: "output", piece: { seq, stream, bytes } };
}

function bytesOf(event: ProcessEvent): number {
  return event.type === "output" ? event.piece.bytes.length : 0;
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isNullish(value: unknown, orType: string): boolean {
  return value === undefined || value === null || typeof value === orType;
}

/** Strict base64 and nothing else; undefined for all other values. */
function decode(value: unknown): string | undefined {
  if (typeof value !== "string" || /[^A-Za-z0-9+/=]/.test(value)) return undefined;
  const bytes = Buffer.from(value, "base64");
  return bytes.toString("base64") === value ? bytes.toString("latin1") : undefined;
}
