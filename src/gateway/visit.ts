import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { guarded } from "../internal/guarded.ts";
import { clientAddress } from "./address.ts";
import type { GatewayEvent } from "./events.ts";
import type { Identity } from "./identity.ts";
import type { ResolvedGatewayOptions } from "./options.ts";

/** Longest origin and host in an event. Refused ones can be as long as a header. */
const MAX_LENGTH = 200;

/** What the socket of Node counts. */
interface ByteCounts {
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
}

/** One request of a page, from its arrival to the end of its connection. Emits its events. */
export class Visit {
  readonly id = randomUUID();
  readonly since = Date.now();
  readonly address: string;
  readonly origin: string;
  readonly #host: string;
  /** Set when the page was authorized. */
  identity: Identity = {};
  readonly #started = performance.now();
  readonly #options: ResolvedGatewayOptions;
  readonly #socket: ByteCounts;
  #readBefore = 0;
  #writtenBefore = 0;

  constructor(request: IncomingMessage, socket: Duplex, options: ResolvedGatewayOptions) {
    this.#options = options;
    this.#socket = socket as ByteCounts;
    this.address = clientAddress(request, options.trustProxy);
    this.origin = (request.headers.origin ?? "").slice(0, MAX_LENGTH);
    this.#host = (request.headers.host ?? "").slice(0, MAX_LENGTH);
  }

  /** Counts the bytes of the socket from now on. */
  countBytes(): void {
    this.#readBefore = this.#socket.bytesRead ?? 0;
    this.#writtenBefore = this.#socket.bytesWritten ?? 0;
  }

  emit(
    type: GatewayEvent["type"],
    details: Pick<GatewayEvent, "reason" | "status" | "closeCode" | "error"> = {},
  ): void {
    const isAdmitted = type !== "refused";
    const bytesFromPage = isAdmitted ? (this.#socket.bytesRead ?? 0) - this.#readBefore : 0;
    const bytesToPage = isAdmitted ? (this.#socket.bytesWritten ?? 0) - this.#writtenBefore : 0;
    const { user } = this.identity;
    guarded(this.#options.onEvent, {
      type,
      id: this.id,
      at: Date.now(),
      address: this.address,
      origin: this.origin,
      ...(user === undefined ? {} : { user }),
      ...details,
      ...(details.reason === "host" ? { host: this.#host } : {}),
      bytes: bytesFromPage + bytesToPage,
      bytesFromPage,
      durationMs: Math.round(performance.now() - this.#started),
    });
  }
}
