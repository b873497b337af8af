import { mkdirSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../support/random.ts";
import { Violation, within } from "../support/violation.ts";
import { openFiles, processesWithEnv, TIMEOUT_FACTOR, waitUntilEmpty } from "./leaks.ts";
import type { ConnectionCounts } from "./load/connection-counter.ts";
import type { LoadDriver } from "./load/driver.ts";
import type { Fault, Setup } from "./setup.ts";

/** Time limit for detecting the loss of a connection and rejecting everything pending on it. */
const LOSS_MS = 45_000 * TIMEOUT_FACTOR;
/** Time limit for running operations to settle while no fault is active. */
const SETTLE_MS = 30_000 * TIMEOUT_FACTOR;
/** `close()` settles within 2 s; 3 s more for a busy machine. */
const CLOSE_MS = 2_000 + 3_000;
/** Number of concurrent calls and of concurrent `get()` callers. */
const CONCURRENT = 30;
/** Maximum duration of requests that the server still processes after the client has aborted them. */
const ABORTED_REQUESTS_MS = 700;
/** Name of the fault that closes the client. */
const CLOSE = "the client is closed";

type Totals = ConnectionCounts & { readonly dials: number };

/** Injects one fault after the other while a driver runs load on a setup, and checks the recovery from each. */
export class FaultRunner {
  readonly setup: Setup;
  readonly driver: Pick<LoadDriver, keyof LoadDriver>;
  readonly #random: Random;
  readonly #directory: string;

  /** @param directory A directory on this machine for the files of the driver. */
  constructor(setup: Setup, driver: Pick<LoadDriver, keyof LoadDriver>, directory: string, random: Random) {
    this.setup = setup;
    this.driver = driver;
    this.#directory = directory;
    this.#random = random;
  }

  /** Names of all faults of the setup, and of closing the client. */
  get faults(): string[] {
    return [...Object.keys(this.setup.faults), CLOSE];
  }

  /** Injects one fault, checks its effects, repairs it and waits for a live connection. Throws a Violation. */
  async injectFault(name: string): Promise<void> {
    const fault = this.setup.faults[name];
    // Gives operations up to 200 ms without a fault.
    await sleep(this.#random.below(200));
    if (fault) await this.#runFault(fault);
    else await this.#closeClient();
    await this.driver.setOutage(false);
    await this.driver.resume();
  }

  /** Closes the client and checks that no connection, process or file remains. */
  async endRound(): Promise<void> {
    await this.#settle();
    await within(this.driver.replaceClient(), CLOSE_MS, "close()");
    await this.#waitUntilOpen(0);
    await this.setup.renew();
    await waitUntilEmpty(`${this.setup.name}: processes are still running on the server`, () =>
      processesWithEnv("SOAK", this.#directory),
    );
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Starts the load again with the new client. */
  async beginRound(): Promise<void> {
    mkdirSync(this.#directory, { recursive: true });
    await this.driver.resume();
  }

  async #runFault(fault: Fault): Promise<void> {
    const { driver, setup } = this;
    await within(driver.session(), SETTLE_MS, "get()");
    if (fault.isSilent) await this.#waitUntilServerIdle();
    const before = await this.#totals();
    if (fault.isSilent && setup.canPing) await driver.sendRequests(CONCURRENT);
    if (fault.disconnects) await driver.setOutage(true);
    await fault.inject(this.#random);
    if (fault.disconnects) await within(driver.disconnected(), LOSS_MS, "the loss of the connection");
    await within(driver.requestsSettled("ERR_DISCONNECTED"), SETTLE_MS, "the requests in flight");
    if (fault.isSilent) await driver.resume();
    if (fault.refusesDials)
      await within(driver.getConcurrently(CONCURRENT), SETTLE_MS, "concurrent get() calls without a server");
    await sleep(this.#random.below(400));
    await fault.repair?.();
    await this.#settle();
    if (!setup.isReconnectable && fault.disconnects)
      await within(driver.replaceClient(), CLOSE_MS, "close()");
    await this.#recover();
    await this.#compare(before, fault);
  }

  /** Closes the client while operations and requests are in flight. */
  async #closeClient(): Promise<void> {
    const { driver } = this;
    await within(driver.session(), SETTLE_MS, "get()");
    const before = await this.#totals();
    await driver.setOutage(true);
    await driver.sendRequests(CONCURRENT);
    await within(driver.replaceClient(), CLOSE_MS, "close()");
    await within(
      driver.requestsSettled("ERR_CLOSED"),
      SETTLE_MS,
      "the requests in flight on a closed client",
    );
    await this.#settle();
    await this.#recover();
    await this.#compare(before, { disconnects: true });
  }

  /**
   * Without pings, keepAlive detects a silent connection only while no request is in flight and no output is queued.
   * The server may still be processing requests that the client has aborted.
   */
  async #waitUntilServerIdle(): Promise<void> {
    await this.#settle();
    await sleep(ABORTED_REQUESTS_MS);
  }

  /** Waits until every running operation has settled; the Violation names those that have not. */
  async #settle(): Promise<void> {
    let pending = "";
    const settling = this.driver.settle();
    const timer = setTimeout(async () => {
      pending = await this.driver.pendingOperations();
    }, SETTLE_MS * 0.9);
    try {
      await within(settling, SETTLE_MS, () => pending);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Concurrent `get()` calls share a live client. No process or open file of an ended session remains. */
  async #recover(): Promise<void> {
    const outcome = await within(
      this.driver.getConcurrently(CONCURRENT),
      SETTLE_MS,
      "concurrent get() calls",
    );
    if ("error" in outcome) throw new Violation(`no connection after the repair: ${outcome.error}`);
    const { name } = this.setup;
    await this.#waitUntilOpen(1);
    await waitUntilEmpty(`${name}: the server has files open`, () =>
      this.setup.pid === undefined ? [] : openFiles(this.setup.pid, this.#directory),
    );
    await waitUntilEmpty(`${name}: processes of ended sessions are still running`, () =>
      processesWithEnv("SOAK_SESSION", outcome.session),
    );
  }

  async #totals(): Promise<Totals> {
    return { ...(await this.driver.connectionCounts()), dials: this.setup.dials };
  }

  /** Compares the dials and attempts since the fault with the expected ones. */
  async #compare(
    before: Totals,
    { disconnects, refusesDials }: Pick<Fault, "disconnects" | "refusesDials">,
  ): Promise<void> {
    const now = await this.#totals();
    const since = (name: keyof Totals): number => now[name] - before[name];
    const [dials, attempts, connected] = [since("dials"), since("attempts"), since("connected")];
    const [failed, abandoned] = [since("failed"), since("abandoned")];
    const figures = `${dials} dials, ${attempts} attempts: ${connected} connected, ${failed} failed, ${abandoned} abandoned`;
    const isAsManyDialsAsAttempts = dials <= attempts && dials >= attempts - abandoned;
    if (!isAsManyDialsAsAttempts) throw new Violation(`not one dial for each attempt: ${figures}`);
    if (attempts !== connected + failed + abandoned)
      throw new Violation(`attempts without an outcome: ${figures}`);
    if (connected !== (disconnects ? 1 : 0))
      throw new Violation(`not one new connection for each lost one: ${figures}`);
    if (failed > 0 && !refusesDials)
      throw new Violation(`an attempt failed although no fault refuses connections: ${figures}`);
  }

  async #waitUntilOpen(count: number): Promise<void> {
    const { setup } = this;
    await waitUntilEmpty(`${setup.name}: expected ${count} open connections`, () =>
      setup.open === count ? [] : [`got ${setup.open}`],
    );
  }
}
