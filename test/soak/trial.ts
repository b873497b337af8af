import { mkdirSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../support/random.ts";
import { Violation, within } from "../support/violation.ts";
import type { Account } from "./load/account.ts";
import type { Player } from "./load/player.ts";
import { filesHeld, PATIENCE, processesWith, untilNone } from "./residue.ts";
import type { Fault, Stage } from "./stage.ts";

/** Within this the loss of a connection must be known, and be told to all who hang on it. */
const LOSS_MS = 45_000 * PATIENCE;
/** Within this everything that was begun must have come to an end, when nothing is in its way. */
const SETTLE_MS = 30_000 * PATIENCE;
/** What `close()` promises, and what a busy machine may add. */
const CLOSE_MS = 2_000 + 3_000;
const CROWD = 30;
/** What the server still works on when whoever asked has left takes no longer than this. */
const ORPHANS_MS = 700;
/** The one thing that goes wrong on purpose. */
const CLOSE = "the client is closed";

type Balance = Account & { readonly dials: number };

/** A stage on which a program works, and where one thing after the other goes wrong. */
export class Trial {
  readonly stage: Stage;
  readonly player: Pick<Player, keyof Player>;
  readonly #random: Random;
  readonly #directory: string;

  /** @param directory Where the player's files are; on this machine. */
  constructor(stage: Stage, player: Pick<Player, keyof Player>, directory: string, random: Random) {
    this.stage = stage;
    this.player = player;
    this.#directory = directory;
    this.#random = random;
  }

  /** The names of all that can happen here. */
  get faults(): string[] {
    return [...Object.keys(this.stage.faults), CLOSE];
  }

  /** Lets one thing go wrong, sees what comes of it, and leaves a live connection. Throws a Violation. */
  async suffer(name: string): Promise<void> {
    const fault = this.stage.faults[name];
    // What is begun before this has its share of peace.
    await sleep(this.#random.below(200));
    if (fault) await this.#strike(fault);
    else await this.#close();
    await this.player.outage(false);
    await this.player.resume();
  }

  /** Ends the client, and sees that nothing is left of it. */
  async leave(): Promise<void> {
    await this.#settle();
    await within(this.player.replaceClient(), CLOSE_MS, "close()");
    await this.#untilOpen(0);
    await this.stage.renew();
    await untilNone(`${this.stage.name}: processes are left on the server`, () =>
      processesWith("SOAK", this.#directory),
    );
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Begins again, with a new client. */
  async enter(): Promise<void> {
    mkdirSync(this.#directory, { recursive: true });
    await this.player.resume();
  }

  async #strike(fault: Fault): Promise<void> {
    const { player, stage } = this;
    await within(player.session(), SETTLE_MS, "get()");
    if (fault.isSilent) await this.#becomeQuiet();
    const before = await this.#balance();
    if (fault.isSilent && stage.canPing) await player.hang(CROWD);
    if (fault.loses) await player.outage(true);
    await fault.strike(this.#random);
    if (fault.loses) await within(player.lost(), LOSS_MS, "the loss of the connection");
    await within(player.hung("ERR_DISCONNECTED"), SETTLE_MS, "what hung on the connection");
    if (fault.isSilent) await player.resume();
    if (fault.refuses) await within(player.crowd(CROWD), SETTLE_MS, "a crowd in vain");
    await sleep(this.#random.below(400));
    await fault.repair?.();
    await this.#settle();
    if (!stage.isReconnectable && fault.loses) await within(player.replaceClient(), CLOSE_MS, "close()");
    await this.#recover();
    await this.#compare(before, fault);
  }

  /** By its owner, in the middle of everything. */
  async #close(): Promise<void> {
    const { player } = this;
    await within(player.session(), SETTLE_MS, "get()");
    const before = await this.#balance();
    await player.outage(true);
    await player.hang(CROWD);
    await within(player.replaceClient(), CLOSE_MS, "close()");
    await within(player.hung("ERR_CLOSED"), SETTLE_MS, "what hung on a closed client");
    await this.#settle();
    await this.#recover();
    await this.#compare(before, { loses: true });
  }

  /**
   * Silence is found by asking, and means nothing behind a request where there are no pings, nor behind much that is still
   * to be sent. Who has left may have left something to be done on the server.
   */
  async #becomeQuiet(): Promise<void> {
    await this.#settle();
    await sleep(ORPHANS_MS);
  }

  /** Everything that was begun comes to an end. */
  async #settle(): Promise<void> {
    let left = "";
    const settling = this.player.settle();
    const timer = setTimeout(async () => {
      left = await this.player.left();
    }, SETTLE_MS * 0.9);
    try {
      await within(settling, SETTLE_MS, () => left);
    } finally {
      clearTimeout(timer);
    }
  }

  /** All who ask get the same live client; nothing of what is over is left, here or on the server. */
  async #recover(): Promise<void> {
    const found = await within(this.player.crowd(CROWD), SETTLE_MS, "a crowd");
    if ("error" in found) throw new Violation(`no connection after the repair: ${found.error}`);
    const { name } = this.stage;
    await this.#untilOpen(1);
    await untilNone(`${name}: the server holds files open`, () =>
      this.stage.pid === undefined ? [] : filesHeld(this.stage.pid, this.#directory),
    );
    await untilNone(`${name}: processes of ended work are left`, () =>
      processesWith("SOAK_SESSION", found.session),
    );
  }

  async #balance(): Promise<Balance> {
    return { ...(await this.player.account()), dials: this.stage.dials };
  }

  /** Holds what was dialled against what had to be. */
  async #compare(before: Balance, { loses, refuses }: Pick<Fault, "loses" | "refuses">): Promise<void> {
    const now = await this.#balance();
    const since = (name: keyof Balance): number => now[name] - before[name];
    const [dials, attempts, connected] = [since("dials"), since("attempts"), since("connected")];
    const [failed, abandoned] = [since("failed"), since("abandoned")];
    const told = `${dials} dials, ${attempts} attempts: ${connected} connected, ${failed} failed, ${abandoned} abandoned`;
    const isAsManyDialsAsAttempts = dials <= attempts && dials >= attempts - abandoned;
    if (!isAsManyDialsAsAttempts) throw new Violation(`not one dial for each attempt: ${told}`);
    if (attempts !== connected + failed + abandoned)
      throw new Violation(`attempts without an outcome: ${told}`);
    if (connected !== (loses ? 1 : 0))
      throw new Violation(`not one new connection for each that was lost: ${told}`);
    if (failed > 0 && !refuses)
      throw new Violation(`an attempt failed although nothing stood in its way: ${told}`);
  }

  async #untilOpen(count: number): Promise<void> {
    const { stage } = this;
    await untilNone(`${stage.name}: not ${count} open connection`, () =>
      stage.open === count ? [] : [`${stage.open} are`],
    );
  }
}
