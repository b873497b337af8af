import type { Connection } from "../../src/transport/transport.ts";
import type { Random } from "../support/random.ts";
import { type Request, soundError, soundResult } from "./answers.ts";
import { BodyModel, CallModel, ProcessModel } from "./models.ts";
import { mutate, type Others } from "./mutations.ts";
import { type Frame, type Reading, read, subjectOf } from "./reading.ts";

/** A frame to be sent, and the request that it soundly answers. */
interface Outgoing {
  readonly frame: Frame;
  readonly answers?: Request;
}

interface LiveProcess {
  readonly model: ProcessModel;
  nextSeq: number;
  phase: "running" | "exited" | "closed";
}

interface LiveBody {
  readonly url: string;
  readonly model: BodyModel;
  nextSeq: number;
  isDone: boolean;
}

const KEPT_FRAMES = 12;

/**
 * Plays a server that is sound at heart: it knows what its client waits for and has a proper frame for it. Some of the
 * frames it spoils, repeats, holds back or addresses to others. What the client must make of all of them it writes down.
 */
export class FuzzServer {
  readonly processes = new Map<string, LiveProcess>();
  readonly bodies = new Map<string, LiveBody>();
  /** By what they are about: a process, a file, a URL. */
  readonly calls = new Map<string, CallModel>();
  /** What was ever told anything but the truth. */
  readonly attacked = new Set<string>();
  /** What was soundly refused. */
  readonly refused = new Set<string>();
  /** Bytes written to a file so far. */
  readonly written = new Map<string, Buffer>();
  /** Requests that the client must answer, and answers that it gave. */
  asked = 0;
  answered = 0;
  /** A frame was sent that ends the connection. */
  isFatal = false;
  framesSent = 0;
  /** The newest, for a report. */
  readonly recent: Frame[] = [];
  readonly #connection: Connection;
  readonly #random: Random;
  readonly #spoiledShare: number;
  readonly #pending = new Map<number, Request>();
  readonly #handles = new Map<string, string>();
  #lastId = 0;
  /** To be sent before anything else is chosen. */
  readonly #burst: Outgoing[] = [];
  #held: Outgoing[] = [];
  #watchIds: number[] = [];

  /** @param spoiledShare Of the frames, from 0 to 1. */
  constructor(connection: Connection, random: Random, spoiledShare: number) {
    this.#connection = connection;
    this.#random = random;
    this.#spoiledShare = spoiledShare;
    connection.start({ onFrame: (frame) => this.#receive(String(frame)), onEnd: () => {} });
  }

  /** Sends something: mostly what the client waits for. */
  sendSomething(): void {
    const next = this.#burst.shift();
    if (next) this.send(next);
    else this.#sendChosen();
  }

  #sendChosen(): void {
    const outgoing = this.#choose();
    const next = this.#random.chance(this.#spoiledShare) ? this.#spoil(outgoing) : outgoing;
    const sent = this.#random.chance(0.3) ? { ...next, frame: asBytes(next.frame) } : next;
    if (this.#random.chance(0.05)) this.#held.push(sent);
    else this.send(sent);
  }

  send(outgoing: Outgoing): void {
    const { frame } = outgoing;
    const reading = read(frame);
    // Most frames that end everything are kept back, or no connection would live to see the others.
    if (reading.type === "fatal" && this.#random.chance(0.92)) return;
    if (this.#isAboutTheFuture(reading)) return;
    this.recent.push(frame);
    if (this.recent.length > KEPT_FRAMES) this.recent.shift();
    this.framesSent++;
    if (!this.isFatal) this.#expect(reading, outgoing);
    // On a WebSocket a frame may be one of bytes.
    this.#connection.send(frame as string);
  }

  /** Answers a request soundly, now. */
  answer(request: Request): void {
    this.send(this.#soundAnswer(request));
  }

  /** The oldest request that was not answered yet. */
  get oldest(): Request | undefined {
    return this.#pending.values().next().value;
  }

  /** What must come of the body of a request to this URL. */
  bodyOf(url: string): BodyModel | undefined {
    return [...this.bodies.values()].find((live) => live.url === url)?.model;
  }

  /** Writes down what the client must make of a frame. */
  #expect(reading: Reading, { answers }: Outgoing): void {
    switch (reading.type) {
      case "fatal":
        this.isFatal = true;
        return;
      case "request":
        this.asked++;
        return;
      case "notification": {
        const subject = subjectOf(reading.method, reading.params);
        const params = reading.params as Record<string, unknown>;
        if (/^process\//.test(reading.method))
          this.processes.get(subject as string)?.model.accept(reading.method, params);
        else if (reading.method.startsWith("http/")) this.bodies.get(subject as string)?.model.accept(params);
        return;
      }
      case "answer": {
        const request = this.#pending.get(reading.id as number);
        if (!request) return;
        this.#pending.delete(request.id);
        request.model.accept(reading.answer, request === answers);
        if (request !== answers) this.attacked.add(request.subject);
        else if (reading.answer.type === "error") this.refused.add(request.subject);
      }
    }
  }

  /** About something that the client may have begun in this very turn: who comes first could not be told. */
  #isAboutTheFuture(reading: Reading): boolean {
    if (reading.type === "answer") return Number.isInteger(reading.id) && Number(reading.id) > this.#lastId;
    if (reading.type !== "notification") return false;
    const subject = subjectOf(reading.method, reading.params);
    const isKnown = this.processes.has(String(subject)) || this.bodies.has(String(subject));
    return typeof subject === "string" && !isKnown && /-\d+$/.test(subject);
  }

  #receive(text: string): void {
    const { id, method, params } = JSON.parse(text) as {
      id?: number;
      method?: string;
      params?: Record<string, unknown>;
    };
    if (method === undefined) this.answered++;
    else if (id !== undefined) this.#note(id, method, params ?? {});
  }

  #note(id: number, method: string, params: Record<string, unknown>): void {
    const handle = this.#handles.get(String(params["handleId"]));
    const subject = String(
      params["processId"] ?? params["url"] ?? params["name"] ?? handle ?? pathIn(params) ?? method,
    );
    const model = new CallModel();
    this.#lastId = id;
    const request: Request = { id, method, params, subject, model };
    this.#pending.set(id, request);
    if (!this.calls.has(subject)) this.calls.set(subject, model);
    if (method === "process/start") {
      this.processes.set(subject, { model: new ProcessModel(), nextSeq: 1, phase: "running" });
    } else if (method === "http/request") {
      this.bodies.set(String(params["requestId"]), {
        url: subject,
        model: new BodyModel(),
        nextSeq: 1,
        isDone: false,
      });
    } else if (method === "fs/open") this.#handles.set(String(params["handleId"]), subject);
    else if (method === "fs/writeBlock" || method === "fs/writeFile") this.#write(subject, params);
    else if (method === "fs/watchMissing") this.#watchIds = [Number(params["watchId"])];
  }

  #write(path: string, { chunk, dataBase64, offset = 0 }: Record<string, unknown>): void {
    const bytes = Buffer.from(String(chunk ?? dataBase64), "base64");
    const file = this.written.get(path) ?? Buffer.alloc(0);
    const grown = Buffer.alloc(Math.max(file.length, Number(offset) + bytes.length));
    grown.set(file);
    grown.set(bytes, Number(offset));
    this.written.set(path, grown);
  }

  #choose(): Outgoing {
    const random = this.#random;
    const running = [...this.processes].filter(([, { phase }]) => phase !== "closed");
    const alive = running.filter(([, { model }]) => model.end === undefined);
    const bodies = [...this.bodies].filter(([, { isDone }]) => !isDone);
    const way = random.weighted({
      answer: this.#pending.size > 0 ? 6 : 0,
      event: running.length > 0 ? 6 : 0,
      piece: bodies.length > 0 ? 4 : 0,
      change: this.#watchIds.length > 0 ? 0.3 : 0,
      ask: 0.5,
      stray: 0.5,
      gap: alive.length > 0 ? 0.02 : 0,
      repeat: this.recent.length > 0 ? 0.7 : 0,
      release: this.#held.length > 0 ? 2 : 0,
    });
    switch (way) {
      case "answer":
        return this.#soundAnswer(random.pick([...this.#pending.values()]));
      case "event":
        return sound(this.#nextEvent(...random.pick(running)));
      case "piece":
        return sound(this.#nextPiece(...random.pick(bodies)));
      case "change":
        return sound({ method: "fs/missingChanged", params: { watchId: random.pick(this.#watchIds) } });
      case "repeat":
        return { frame: random.pick(this.recent) };
      case "release":
        return this.#held.shift() as Outgoing;
      case "gap":
        return this.#leaveGap(...random.pick(alive));
      case "ask":
        return sound(this.#question());
      case "stray":
        return sound(this.#stray());
    }
  }

  #soundAnswer(request: Request): Outgoing {
    const isRefusal = request.method !== "initialize" && this.#random.chance(0.03);
    const answer = isRefusal ? soundError : { result: soundResult(request, this.#random) };
    return { frame: JSON.stringify({ id: request.id, ...answer }), answers: request };
  }

  #nextEvent(processId: string, live: LiveProcess): object {
    const random = this.#random;
    const seq = live.nextSeq++;
    const what = random.weighted({
      output: this.#burst.length > 0 ? 1_000 : 12,
      exited: live.phase === "running" ? 1 : 0,
      closed: live.phase === "exited" ? 3 : 0,
    });
    if (what === "exited") {
      live.phase = "exited";
      const exitCode = random.pick([0, 0, 0, 1, -1, 255]);
      return { method: "process/exited", params: { processId, seq, exitCode, sandboxDenied: false } };
    }
    if (what === "closed") {
      live.phase = "closed";
      return { method: "process/closed", params: { processId, seq } };
    }
    const stream = random.pick(["stdout", "stderr", "stdout", "pty"]);
    const text = `${processId}:${seq};`.repeat(
      random.chance(0.1) ? random.between(100, 400) : random.between(0, 3),
    );
    return { method: "process/output", params: { processId, seq, stream, chunk: base64(text) } };
  }

  /** Loses an event, and sends about as many after it as may wait. */
  #leaveGap(processId: string, live: LiveProcess): Outgoing {
    const lost = sound(this.#nextEvent(processId, live));
    for (let events = this.#random.between(250, 262); events > 0 && live.phase !== "closed"; events--) {
      this.#burst.push(sound(this.#nextEvent(processId, live)));
    }
    if (this.#random.chance(0.5)) this.#burst.push(lost);
    return this.#burst.shift() ?? lost;
  }

  #nextPiece(requestId: string, live: LiveBody): object {
    const random = this.#random;
    const seq = live.nextSeq++;
    const done = random.chance(0.15);
    live.isDone = done;
    const text = done
      ? ""
      : `${requestId}:${seq};`.repeat(random.chance(0.1) ? random.between(100, 400) : random.between(1, 3));
    const error = done && random.chance(0.1) ? "error decoding response body" : null;
    return {
      method: "http/request/bodyDelta",
      params: { requestId, seq, deltaBase64: base64(text), done, error },
    };
  }

  #question(): object {
    const random = this.#random;
    const request = { protocol: "https", host: "a.example", port: 443 };
    const params = { processId: random.pick(["p1", "nobody"]), request };
    return {
      id: random.pick([1, "q", -7, 2.5, 999]),
      method: random.pick(["network/policyRequest", "what/ever"]),
      params,
    };
  }

  #stray(): object {
    const random = this.#random;
    return random.pick<object>([
      { id: random.below(50), result: {} },
      { id: -1, ...soundError },
      { id: String(this.oldest?.id ?? 1), result: { status: "ready" } },
      { method: "process/output", params: { processId: "nobody", seq: 1, stream: "stdout", chunk: "QUJD" } },
      { method: "http/request/bodyDelta", params: { requestId: "nobody", seq: 1, deltaBase64: "QUJD" } },
      { method: "fs/missingChanged", params: { watchId: 12_345 } },
      { method: "weather/changed", params: { sunny: true } },
      { method: "toString", params: {} },
    ]);
  }

  #spoil({ frame }: Outgoing): Outgoing {
    const others: Others = {
      ids: [...this.#pending.keys()],
      names: [...this.processes.keys(), ...this.bodies.keys()],
    };
    const text = typeof frame === "string" ? frame : new TextDecoder().decode(frame);
    const message = parsed(text) ?? { method: "process/output", params: { processId: "p1", seq: 1 } };
    return { frame: mutate(message, this.#random, others) };
  }
}

function sound(message: object): Outgoing {
  return { frame: JSON.stringify(message) };
}

function asBytes(frame: Frame): Frame {
  return typeof frame === "string" ? new TextEncoder().encode(frame) : frame;
}

/** The first path a request names. */
function pathIn({ path, sourcePath }: Record<string, unknown>): string | undefined {
  const uri = path ?? sourcePath;
  return typeof uri === "string" ? new URL(uri).pathname : undefined;
}

/** A message that can be spoiled once more: not one so deep that this could not even be copied. */
function parsed(text: string): object | undefined {
  if (text.includes("[".repeat(1_000))) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && Object.keys(value).length > 0 ? value : undefined;
  } catch {
    return undefined;
  }
}

function base64(text: string): string {
  return Buffer.from(text, "latin1").toString("base64");
}
