import type { ExecServerClient } from "../../src/index.ts";
import type { Connection, ConnectionEnd } from "../../src/transport/transport.ts";
import { memoryTransport } from "../support/memory-transport.ts";
import type { Random } from "../support/random.ts";
import type { Sdk } from "../support/sdk.ts";
import { Violation, within } from "../support/violation.ts";
import { COMPOSITE, EXACT, type Operation } from "./operations.ts";
import { type Over, outcomeOf, Verdict } from "./outcome.ts";
import { FuzzServer } from "./server.ts";

type ServerSide = Connection & { end(end: ConnectionEnd): void };

/** Operations under way at once. */
const CROWD = 10;
const MAX_FRAMES = 600;
/** What is left when a connection has ended must settle by itself, without waiting for anything. */
const SETTLE_MS = 5_000;

/** One connection from its first frame to its end, with everything a program may do on it. */
export class Episode {
  readonly #sdk: Sdk;
  readonly #random: Random;
  readonly #operations: Operation[] = [];
  #open = 0;
  #side!: ServerSide;
  server!: FuzzServer;

  constructor(sdk: Sdk, random: Random) {
    this.#sdk = sdk;
    this.#random = random;
  }

  /** Throws a Violation. */
  async play(): Promise<void> {
    const client = await this.#connect();
    if (!client) return;
    const length = this.#random.between(20, MAX_FRAMES);
    while (this.server.framesSent < length && !this.server.isFatal) {
      while (this.#open < CROWD) this.#begin(client);
      for (let burst = this.#random.below(8); burst > 0; burst--) this.server.sendSomething();
      await turn();
      this.#compareState(client);
    }
    const over = await this.#end(client);
    await this.#settle();
    const verdict = new Verdict(this.#sdk, over);
    for (const operation of this.#operations) operation.verify(verdict);
    this.#checkAnswers();
    if (Object.keys(Object.prototype).length > 0 || "polluted" in {})
      throw new Violation("Object.prototype was changed");
  }

  /** Undefined where a spoiled handshake rightly came to nothing. */
  async #connect(): Promise<ExecServerClient | undefined> {
    const isSpoiled = this.#random.chance(0.1);
    const transport = memoryTransport((side) => {
      this.#side = side;
      this.server = new FuzzServer(
        side,
        this.#random,
        isSpoiled ? 0.6 : this.#random.pick([0.05, 0.3, 0.3, 0.8]),
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
    if (isSpoiled) return await this.#spoilHandshake(connecting);
    if (this.server.oldest) this.server.answer(this.server.oldest);
    const outcome = await connecting;
    if ("error" in outcome) throw new Violation(`a sound handshake failed: ${outcome.error}`);
    return outcome.value;
  }

  async #spoilHandshake(connecting: ReturnType<typeof outcomeOf<ExecServerClient>>): Promise<undefined> {
    for (let frames = this.#random.between(1, 6); frames > 0; frames--) this.server.sendSomething();
    await turn();
    this.#side.end({ reason: "the handshake is over" });
    const outcome = await within(connecting, SETTLE_MS, "the handshake");
    if ("value" in outcome) await within(outcome.value.disconnected, SETTLE_MS, "a connection that ended");
    else
      new Verdict(this.#sdk, "ERR_DISCONNECTED").failed(
        outcome,
        ["ERR_CONNECT", "ERR_PROTOCOL", "ERR_SERVER"],
        "a spoiled handshake",
      );
  }

  #begin(client: ExecServerClient): void {
    const kinds = this.#random.chance(0.6) ? EXACT : COMPOSITE;
    const kind = this.#random.pick(Object.keys(kinds));
    const name = `${kind}-${this.#operations.length}`;
    const operation = kinds[kind]?.({ client, server: this.server, random: this.#random, name });
    if (!operation) return;
    this.#operations.push(operation);
    this.#open++;
    void operation.settled.then(() => this.#open--);
  }

  /** The connection must have ended when a frame says so, and only then. */
  #compareState(client: ExecServerClient): void {
    const { server } = this;
    if (client.isDisconnected === server.isFatal) return;
    throw new Violation(
      server.isFatal
        ? "a frame that nobody can attribute did not end the connection"
        : "the connection ended for no reason",
    );
  }

  async #end(client: ExecServerClient): Promise<Over> {
    if (!this.server.isFatal && this.#random.chance(0.2)) {
      await within(client.close(), SETTLE_MS, "close()");
      return "ERR_CLOSED";
    }
    if (!this.server.isFatal) this.#side.end({ reason: "the server is gone" });
    await within(client.disconnected, SETTLE_MS, "the end of the connection");
    return "ERR_DISCONNECTED";
  }

  async #settle(): Promise<void> {
    const left = new Set(this.#operations.map(({ name }) => name));
    const all = this.#operations.map(({ name, settled }) => settled.then(() => left.delete(name)));
    await within(Promise.all(all), SETTLE_MS, () => `${left.size} operations, ${[...left].slice(0, 5)},`);
  }

  #checkAnswers(): void {
    const { asked, answered, isFatal } = this.server;
    const isRight = isFatal ? answered <= asked : answered === asked;
    if (!isRight) throw new Violation(`the client was asked ${asked} times and answered ${answered} times`);
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
