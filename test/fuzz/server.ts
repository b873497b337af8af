import type { Connection } from "../../src/transport/transport.ts";
import type { Random } from "../support/random.ts";
import { BodyModel, CallModel, ProcessModel } from "./models.ts";
import { type KnownIds, mutate } from "./mutations.ts";
import { type DecodedFrame, decode, type Frame, type RpcResponse, subjectOf } from "./reference-decoder.ts";
import { type Request, validError, validResult } from "./responses.ts";
import { refusalOf } from "./server-limits.ts";

/** A frame to send, and the request for which it is the valid response. */
interface Outgoing {
  readonly frame: Frame;
  readonly respondsTo?: Request;
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

const RECENT_FRAMES = 12;

/**
 * A server with a valid response for every request of the client. It mutates, repeats, delays or misaddresses some of its
 * frames, and updates the models of what the client must make of each.
 */
export class FuzzServer {
  readonly processes = new Map<string, LiveProcess>();
  readonly bodies = new Map<string, LiveBody>();
  /** By subject: a process id, a path or a URL. */
  readonly calls = new Map<string, CallModel>();
  /** Subjects for which a response was corrupted. */
  readonly corrupted = new Set<string>();
  /** Subjects of requests that were refused with a valid error. */
  readonly refused = new Set<string>();
  /** Bytes written to each file so far. */
  readonly written = new Map<string, Buffer>();
  /** Bytes sent to each process and in the body of each HTTP request, by process id or URL. */
  readonly received = new Map<string, string>();
  /** The first request or notification that a real server can't read; undefined if there was none. */
  unreadable: string | undefined;
  /** Number of requests sent to the client, and of the responses that it sent. */
  serverRequests = 0;
  serverRequestsAnswered = 0;
  /** Whether a frame was sent that must end the connection. */
  isFatal = false;
  framesSent = 0;
  /** The last 12 frames, for the report of a violation. */
  readonly recent: Frame[] = [];
  readonly #connection: Connection;
  readonly #random: Random;
  readonly #mutatedShare: number;
  readonly #pending = new Map<number, Request>();
  readonly #handles = new Map<string, string>();
  #lastId = 0;
  /** Frames to send before the next random choice. */
  readonly #burst: Outgoing[] = [];
  #held: Outgoing[] = [];
  /** A response without a request, until its effect is defined. */
  #unattributed: Frame | undefined;
  #watchIds: number[] = [];

  /** @param mutatedShare Share of the frames that are mutated, from 0 to 1. */
  constructor(connection: Connection, random: Random, mutatedShare: number) {
    this.#connection = connection;
    this.#random = random;
    this.#mutatedShare = mutatedShare;
    connection.start({ onFrame: (frame) => this.#receive(String(frame)), onEnd: () => {} });
  }

  /** Sends the next frame: mostly one that the client expects. */
  sendNext(): void {
    const next = this.#burst.shift();
    if (next) this.send(next);
    else this.#sendChosen();
  }

  #sendChosen(): void {
    const outgoing = this.#choose();
    const next = this.#random.chance(this.#mutatedShare) ? this.#mutate(outgoing) : outgoing;
    const sent = this.#random.chance(0.3) ? { ...next, frame: asBytes(next.frame) } : next;
    if (this.#random.chance(0.05)) this.#held.push(sent);
    else this.send(sent);
  }

  send(outgoing: Outgoing): void {
    const { frame } = outgoing;
    const decoded = decode(frame);
    // Drops 92 % of the fatal frames, because each would end the connection.
    if (decoded.type === "fatal" && this.#random.chance(0.92)) return;
    if (this.#isAboutFutureRequest(decoded)) return;
    if (decoded.type === "unattributed") this.#unattributed ??= frame;
    else this.#deliver(outgoing, decoded);
  }

  /**
   * Sends a response without a request, if there is one to send. Every earlier frame of both sides must have arrived: its
   * effect depends on the number of requests in flight.
   */
  sendUnattributed(): void {
    const frame = this.#unattributed;
    this.#unattributed = undefined;
    if (frame === undefined || this.isFatal) return;
    // Drops 92 % of those that end the connection.
    if (this.#pending.size !== 1 && this.#random.chance(0.92)) return;
    this.#deliver({ frame }, decode(frame));
  }

  #deliver(outgoing: Outgoing, decoded: DecodedFrame): void {
    const { frame } = outgoing;
    this.recent.push(frame);
    if (this.recent.length > RECENT_FRAMES) this.recent.shift();
    this.framesSent++;
    if (!this.isFatal) this.#expect(decoded, outgoing);
    // A WebSocket also delivers binary frames.
    this.#connection.send(frame as string);
  }

  /** Sends the valid response to a request. */
  respond(request: Request): void {
    this.send(this.#validResponse(request));
  }

  /** The oldest pending request. */
  get oldest(): Request | undefined {
    return this.#pending.values().next().value;
  }

  /** The expected body of the response from this URL. */
  bodyOf(url: string): BodyModel | undefined {
    return [...this.bodies.values()].find((live) => live.url === url)?.model;
  }

  /** Updates the models with a frame. */
  #expect(decoded: DecodedFrame, { respondsTo }: Outgoing): void {
    switch (decoded.type) {
      case "fatal":
        this.isFatal = true;
        return;
      case "request":
        this.serverRequests++;
        return;
      case "notification": {
        const subject = subjectOf(decoded.method, decoded.params);
        const params = decoded.params as Record<string, unknown>;
        if (/^process\//.test(decoded.method))
          this.processes.get(subject as string)?.model.accept(decoded.method, params);
        else if (decoded.method.startsWith("http/")) this.bodies.get(subject as string)?.model.accept(params);
        return;
      }
      case "unattributed": {
        const [request, ...others] = this.#pending.values();
        if (request && others.length === 0) this.#settle(request, decoded.response);
        else this.isFatal = true;
        return;
      }
      case "response": {
        const request = this.#pending.get(decoded.id as number);
        if (request) this.#settle(request, decoded.response, respondsTo);
      }
    }
  }

  #settle(request: Request, response: RpcResponse, respondsTo?: Request): void {
    this.#pending.delete(request.id);
    request.model.accept(response, request === respondsTo);
    if (request !== respondsTo) this.corrupted.add(request.subject);
    else if (response.type === "error") this.refused.add(request.subject);
  }

  /** Whether the frame concerns a request that the client may be sending in this turn, so that the order is undefined. */
  #isAboutFutureRequest(decoded: DecodedFrame): boolean {
    if (decoded.type === "response") return Number.isInteger(decoded.id) && Number(decoded.id) > this.#lastId;
    if (decoded.type !== "notification") return false;
    const subject = subjectOf(decoded.method, decoded.params);
    const isKnown = this.processes.has(String(subject)) || this.bodies.has(String(subject));
    return typeof subject === "string" && !isKnown && /-\d+$/.test(subject);
  }

  #receive(text: string): void {
    const message = JSON.parse(text) as {
      id?: number;
      method?: string;
      params?: Record<string, unknown>;
    };
    const { id, method, params } = message;
    // A response repeats the id that this server chose.
    if (method !== undefined && refusalOf(message)) this.unreadable ??= text;
    if (method === undefined) this.serverRequestsAnswered++;
    else if (id !== undefined) this.#note(id, method, params ?? {});
  }

  #note(id: number, method: string, params: Record<string, unknown>): void {
    const handle = this.#handles.get(String(params["handleId"]));
    const subject = String(
      params["processId"] ?? params["url"] ?? params["name"] ?? handle ?? pathIn(params) ?? method,
      // A copy looks at its destination, and a listing at its entries.
    ).replace(/^(\/files\/\d+\/[a-zA-Z]+(-\d+)?).*/, "$1");
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
    if (method === "process/write" || method === "http/request") this.#receiveBytes(subject, params);
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

  #receiveBytes(subject: string, { chunk, bodyBase64 }: Record<string, unknown>): void {
    const bytes = Buffer.from(String(chunk ?? bodyBase64 ?? ""), "base64");
    this.received.set(subject, (this.received.get(subject) ?? "") + bytes.toString("latin1"));
  }

  #choose(): Outgoing {
    const random = this.#random;
    const running = [...this.processes].filter(([, { phase }]) => phase !== "closed");
    const alive = running.filter(([, { model }]) => model.end === undefined);
    const bodies = [...this.bodies].filter(([, { isDone }]) => !isDone);
    const way = random.weighted({
      response: this.#pending.size > 0 ? 6 : 0,
      event: running.length > 0 ? 6 : 0,
      chunk: bodies.length > 0 ? 4 : 0,
      change: this.#watchIds.length > 0 ? 0.3 : 0,
      ask: 0.5,
      stray: 0.5,
      unattributed: 0.3,
      gap: alive.length > 0 ? 0.02 : 0,
      repeat: this.recent.length > 0 ? 0.7 : 0,
      release: this.#held.length > 0 ? 2 : 0,
    });
    switch (way) {
      case "response":
        return this.#validResponse(random.pick([...this.#pending.values()]));
      case "event":
        return encode(this.#nextEvent(...random.pick(running)));
      case "chunk":
        return encode(this.#nextDelta(...random.pick(bodies)));
      case "change":
        return encode({ method: "fs/missingChanged", params: { watchId: random.pick(this.#watchIds) } });
      case "repeat":
        return { frame: random.pick(this.recent) };
      case "release":
        return this.#held.shift() as Outgoing;
      case "gap":
        return this.#skipEvent(...random.pick(alive));
      case "ask":
        return encode(this.#serverRequest());
      case "unattributed":
        return encode({ id: -1, ...validError });
      case "stray":
        return encode(this.#unexpectedMessage());
    }
  }

  #validResponse(request: Request): Outgoing {
    const isRefusal = request.method !== "initialize" && this.#random.chance(0.03);
    const outcome = isRefusal ? validError : { result: validResult(request, this.#random) };
    return { frame: JSON.stringify({ id: request.id, ...outcome }), respondsTo: request };
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

  /** Omits an event and queues 250 to 262 later ones, about as many as the client holds back (256). */
  #skipEvent(processId: string, live: LiveProcess): Outgoing {
    const lost = encode(this.#nextEvent(processId, live));
    for (let events = this.#random.between(250, 262); events > 0 && live.phase !== "closed"; events--) {
      this.#burst.push(encode(this.#nextEvent(processId, live)));
    }
    if (this.#random.chance(0.5)) this.#burst.push(lost);
    return this.#burst.shift() ?? lost;
  }

  #nextDelta(requestId: string, live: LiveBody): object {
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

  #serverRequest(): object {
    const random = this.#random;
    const request = { protocol: "https", host: "a.example", port: 443 };
    const params = { processId: random.pick(["p1", "absent"]), request };
    return {
      id: random.pick([1, "q", -7, 2.5, 999]),
      method: random.pick(["network/policyRequest", "what/ever"]),
      params,
    };
  }

  #unexpectedMessage(): object {
    const random = this.#random;
    return random.pick<object>([
      { id: random.below(50), result: {} },
      { id: -1, result: {} },
      { id: String(this.oldest?.id ?? 1), result: { status: "ready" } },
      { method: "process/output", params: { processId: "absent", seq: 1, stream: "stdout", chunk: "QUJD" } },
      { method: "http/request/bodyDelta", params: { requestId: "absent", seq: 1, deltaBase64: "QUJD" } },
      { method: "fs/missingChanged", params: { watchId: 12_345 } },
      { method: "weather/changed", params: { sunny: true } },
      { method: "toString", params: {} },
    ]);
  }

  #mutate({ frame }: Outgoing): Outgoing {
    const known: KnownIds = {
      ids: [...this.#pending.keys()],
      names: [...this.processes.keys(), ...this.bodies.keys()],
    };
    const text = typeof frame === "string" ? frame : new TextDecoder().decode(frame);
    const message = parsed(text) ?? { method: "process/output", params: { processId: "p1", seq: 1 } };
    return { frame: mutate(message, this.#random, known) };
  }
}

function encode(message: object): Outgoing {
  return { frame: JSON.stringify(message) };
}

function asBytes(frame: Frame): Frame {
  return typeof frame === "string" ? new TextEncoder().encode(frame) : frame;
}

/** The path of a request, or the source path of a copy: its destination belongs to the same operation. */
function pathIn({ path, sourcePath }: Record<string, unknown>): string | undefined {
  const uri = path ?? sourcePath;
  return typeof uri === "string" ? new URL(uri).pathname.replace(/-copy$/, "") : undefined;
}

/** Parses a message for a further mutation; undefined if it is nested too deeply to be cloned. */
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
