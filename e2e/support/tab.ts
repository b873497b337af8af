import { expect, type Page } from "@playwright/test";
import type { BridgeEnd } from "exec-server-sdk";
import type { Harness, Place } from "../page/main.ts";
import type { Scenario } from "../page/scenario.ts";
import type { TaskTimes } from "../page/task-clock.ts";
import type { Stage } from "./stage.ts";

type Result<K extends keyof Scenario> = Awaited<ReturnType<Scenario[K]>>;
type PageGlobal = { readonly harness: Harness };

/** Firefox logs this error when an open WebSocket is reset. A page can not prevent it. */
const FIREFOX_RESET_MESSAGE = /^The connection to ws:\/\/127\.0\.0\.1:\d+\/ was interrupted/;

/** The test page in one tab, and the problems it has reported. */
export class Tab {
  readonly page: Page;
  /** Console errors and warnings, uncaught errors and unhandled rejections. */
  readonly problems: string[] = [];
  /** The number of WebSockets that the page and its workers have opened; undefined in Firefox, which does not report them. */
  webSockets: number | undefined;
  readonly #stage: Stage;
  readonly #place: Place;

  constructor(page: Page, stage: Stage, place: Place = "inPage") {
    this.page = page;
    this.#stage = stage;
    this.#place = place;
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") this.#report(message.text());
    });
    page.on("pageerror", (error) => this.#report(String(error)));
    if (page.context().browser()?.browserType().name() !== "chromium") return;
    let count = 0;
    this.webSockets = count;
    page.on("websocket", () => {
      this.webSockets = ++count;
    });
  }

  async open(): Promise<void> {
    await this.page.goto(this.#stage.pages.origin);
    await this.do("prepare", this.#stage.address);
  }

  /** Calls a method of the scenario, in the page or in its worker or frame. */
  async do<K extends keyof Scenario>(name: K, ...args: Parameters<Scenario[K]>): Promise<Result<K>> {
    const request = { place: this.#place, call: { name, args } };
    return (await this.page.evaluate(
      ({ place, call }) => (globalThis as unknown as PageGlobal).harness.perform(place, call as never),
      request,
    )) as Result<K>;
  }

  /** Resolves when the client has noticed the disconnect, some time after the network. */
  async untilDisconnected(): Promise<void> {
    await expect.poll(async () => (await this.do("look")).state).toBe("disconnected");
  }

  /** Removes the worker or frame. Returns how its bridges ended. */
  async remove(): Promise<readonly BridgeEnd[]> {
    return await this.page.evaluate(
      (place) => (globalThis as unknown as PageGlobal).harness.remove(place as never),
      this.#place,
    );
  }

  #report(text: string): void {
    if (!FIREFOX_RESET_MESSAGE.test(text)) this.problems.push(text);
  }

  takeTaskTimes(): Promise<TaskTimes> {
    return this.page.evaluate(() => (globalThis as unknown as PageGlobal).harness.takeTaskTimes());
  }

  violations(): Promise<string[]> {
    return this.page.evaluate(() => (globalThis as unknown as PageGlobal).harness.violations);
  }
}
