import type { Writable } from "node:stream";
import { ExecServerError } from "../../errors/error.ts";
import type { GatewayEvent } from "../events.ts";

/** Bytes that may wait for a reader that is slow. Further lines are dropped. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** The log of the command, one line for each event. A reader that is gone or stuck loses lines, and nothing else. */
export class Log {
  readonly #output: Writable;
  readonly #isJson: boolean;
  /** Lines that could not be written. */
  lost = 0;

  constructor(output: Writable, format: "text" | "json") {
    this.#output = output;
    this.#isJson = format === "json";
  }

  /** A message about the gateway itself. */
  message(event: string, text: string, details: Readonly<Record<string, unknown>> = {}): void {
    this.#write(this.#isJson ? { event, message: text, ...details } : text);
  }

  /** What happened to a page. */
  page(event: GatewayEvent): void {
    const error = event.error === undefined ? undefined : errorText(event.error);
    const { type, at, ...members } = event;
    this.#write(this.#isJson ? { event: type, ...members, error } : textOf(event, error), at);
  }

  #write(line: string | object, at = Date.now()): void {
    const text =
      typeof line === "string" ? line : JSON.stringify({ time: new Date(at).toISOString(), ...line });
    if (!this.#output.writable || this.#output.writableLength > MAX_WAITING_BYTES) {
      this.lost++;
      return;
    }
    this.#output.write(`${text}\n`, (error) => {
      if (error) this.lost++;
    });
  }
}

/** Messages of other errors may contain secrets. */
export function errorText(error: unknown): string {
  if (error instanceof ExecServerError) return error.message;
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
  return [name ?? "Error", code].filter((part) => part !== undefined).join(" ");
}

function textOf(event: GatewayEvent, error: string | undefined): string {
  const { type, id, address, origin, user, host, reason, status, closeCode, bytes, durationMs } = event;
  const end = closeCode ?? status;
  const fields: [name: string, value: unknown][] = [
    ["host", host],
    ["user", user],
    ["address", address],
    ["bytes", type === "closed" ? bytes : undefined],
    ["ms", type === "connected" ? undefined : durationMs],
    ["id", id],
  ];
  const words = [
    type,
    word(origin),
    ...(end === undefined ? [] : [String(end)]),
    ...(reason === undefined ? [] : [reason]),
    ...fields
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${word(String(value))}`),
  ];
  return `${words.join(" ")}${hint(event)}${error === undefined ? "" : `: ${error}`}`;
}

/** Foreign text can't look like another field or another line. */
function word(text: string): string {
  return /^[\x21\x23-\x7e]+$/.test(text) ? text : JSON.stringify(text);
}

/** How to admit the page, if it is the operator's own. */
function hint({ reason, origin, host = "" }: GatewayEvent): string {
  if (reason === "origin" && origin !== "") return ` (--origin ${word(origin)} would admit it)`;
  if (reason === "host") return ` (--host ${word(host.replace(/:\d+$/, ""))} would admit it)`;
  if (reason === "no-upgrade") return " (does the proxy in front forward the Upgrade header?)";
  return "";
}
