import type { ExecServerClient } from "../../src/index.ts";
import type { Connection, ConnectionEnd } from "../../src/transport/transport.ts";
import { memoryTransport } from "../support/memory-transport.ts";
import type { Random } from "../support/random.ts";
import type { Sdk } from "../support/sdk.ts";
import { Violation, within } from "../support/violation.ts";
import { FOREIGN } from "./foreign-values.ts";
import { INVALID } from "./invalid-inputs.ts";
import { COMPOSITE, EXACT, type Operation } from "./operations.ts";
import { type ConnectionEndCode, OutcomeChecker, outcomeOf } from "./outcome.ts";
import { FuzzServer } from "./server.ts";

type ServerSide = Connection & { end(end: ConnectionEnd): void };

/** Number of operations in flight at the same time, of which one is chosen for each connection. */
const CONCURRENT = [1, 10, 10, 10];
/** Kinds of operations, some of them more than once to be chosen more often. */
const KINDS = [EXACT, EXACT, EXACT, EXACT, EXACT, COMPOSITE, COMPOSITE, COMPOSITE, FOREIGN, INVALID];
const MAX_FRAMES = 600;
/** Time limit for pending operations to settle after the connection has ended. */
const SETTLE_MS = 5_000;

/** One fuzzed connection from its first frame to its end, with random operations of the client. */
export class FuzzRun {
  readonly #sdk: Sdk;
  readonly #random: Random;
  readonly #operations: Operation[] = [];
  #running = 0;
  #serverSide!: ServerSide;
  server!: FuzzServer;

  constructor(sdk: Sdk, random: Random) {
    this.#sdk = sdk;
    this.#random = random;
  }

  /** Throws a Violation. */
  async run(): Promise<void> {
    const client = await this.#connect();
    if (!client) return;
    const length = this.#random.between(20, MAX_FRAMES);
    const concurrent = this.#random.pick(CONCURRENT);
    while (this.server.framesSent < length && !this.server.isFatal) {
      while (this.#running < concurrent) this.#startOperation(client);
      for (let burst = this.#random.below(8); burst > 0; burst--) this.server.sendNext();
      await turn();
      this.server.sendUnattributed();
      await turn();
      this.#checkConnectionState(client);
    }
    const endCode = await this.#end(client);
    await this.#settle();
    const checker = new OutcomeChecker(this.#sdk, endCode);
    for (const operation of this.#operations) operation.verify(checker);
    this.#checkServerRequests();
    if (this.server.unreadable !== undefined)
      throw new Violation(`the server can't read a frame: ${this.server.unreadable.slice(0, 300)}`);
    if (Object.keys(Object.prototype).length > 0 || "polluted" in {})
      throw new Violation("Object.prototype was changed");
  }

  /** Resolves with undefined after a mutated handshake, which may fail. */
  async #connect(): Promise<ExecServerClient | undefined> {
    const isMutated = this.#random.chance(0.1);
    const transport = memoryTransport((side) => {
      this.#serverSide = side;
      this.server = new FuzzServer(
        side,
        this.#random,
        isMutated ? 0.6 : this.#random.pick([0.05, 0.3, 0.3, 0.8]),
      );
    });
    const decide = (): "allow" | "deny" => {
      if (this.#random.chance(0.3)) throw new Error("undecided");
      return this.#random.pick(["allow", "deny"]);
    };
    const connecting = outcomeOf(
      this.#sdk.ExecServerClient.connect({ transport, onNetworkPolicyRequest: decide }),
    );
    await turn();
    if (isMutated) return await this.#mutateHandshake(connecting);
    if (this.server.oldest) this.server.respond(this.server.oldest);
    const outcome = await connecting;
    if ("error" in outcome) throw new Violation(`a valid handshake failed: ${outcome.error}`);
    return outcome.value;
  }

  async #mutateHandshake(connecting: ReturnType<typeof outcomeOf<ExecServerClient>>): Promise<undefined> {
    for (let frames = this.#random.between(1, 6); frames > 0; frames--) this.server.sendNext();
    await turn();
    this.server.sendUnattributed();
    await turn();
    this.#serverSide.end({ reason: "the handshake is over" });
    const outcome = await within(connecting, SETTLE_MS, "the handshake");
    if ("value" in outcome) await within(outcome.value.disconnected, SETTLE_MS, "a connection that ended");
    else
      new OutcomeChecker(this.#sdk, "ERR_DISCONNECTED").checkRejection(
        outcome,
        ["ERR_CONNECT", "ERR_PROTOCOL", "ERR_SERVER"],
        "a mutated handshake",
      );
  }

  #startOperation(client: ExecServerClient): void {
    const kinds = this.#random.pick(KINDS);
    const kind = this.#random.pick(Object.keys(kinds));
    const name = `${kind}-${this.#operations.length}`;
    const operation = kinds[kind]?.({ client, server: this.server, random: this.#random, name });
    if (!operation) return;
    this.#operations.push(operation);
    this.#running++;
    void operation.settled.then(() => this.#running--);
  }

  /** The connection must have ended if, and only if, a fatal frame was sent. */
  #checkConnectionState(client: ExecServerClient): void {
    const { server } = this;
    if (client.isDisconnected === server.isFatal) return;
    throw new Violation(
      server.isFatal
        ? "a fatal frame did not end the connection"
        : "the connection ended without a fatal frame",
    );
  }

  async #end(client: ExecServerClient): Promise<ConnectionEndCode> {
    if (!this.server.isFatal && this.#random.chance(0.2)) {
      await within(client.close(), SETTLE_MS, "close()");
      return "ERR_CLOSED";
    }
    if (!this.server.isFatal) this.#serverSide.end({ reason: "the server is gone" });
    const { operation } = await within(client.disconnected, SETTLE_MS, "the end of the connection");
    if (operation !== undefined) throw new Violation(`the error of the connection names ${operation}`);
    return "ERR_DISCONNECTED";
  }

  async #settle(): Promise<void> {
    const pending = new Set(this.#operations.map(({ name }) => name));
    const all = this.#operations.map(({ name, settled }) => settled.then(() => pending.delete(name)));
    await within(
      Promise.all(all),
      SETTLE_MS,
      () => `${pending.size} operations, ${[...pending].slice(0, 5)},`,
    );
  }

  #checkServerRequests(): void {
    const { serverRequests, serverRequestsAnswered, isFatal } = this.server;
    const isBalanced = isFatal
      ? serverRequestsAnswered <= serverRequests
      : serverRequestsAnswered === serverRequests;
    if (!isBalanced)
      throw new Violation(
        `the client received ${serverRequests} requests and sent ${serverRequestsAnswered} responses`,
      );
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
