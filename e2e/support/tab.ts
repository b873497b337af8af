import { expect, type Page } from "@playwright/test";
import type { BridgeEnd } from "exec-server-sdk";
import type { Place } from "../page/main.ts";
import type { TaskTimes } from "../page/task-clock.ts";
import { type PageGlobal, ScenarioPage } from "./scenario-page.ts";
import type { Stage } from "./stage.ts";

/** Firefox logs this error when an open WebSocket is reset. A page can not prevent it. */
const FIREFOX_RESET_MESSAGE = /^The connection to ws:\/\/127\.0\.0\.1:\d+\/ was interrupted/;

/** The test page in one tab of a browser that Playwright drives, and the problems it has reported. */
export class Tab extends ScenarioPage {
  readonly page: Page;
  /** Console errors and warnings, uncaught errors and unhandled rejections. */
  readonly problems: string[] = [];

  constructor(page: Page, stage: Stage, place: Place = "inPage") {
    super(stage, place);
    this.page = page;
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") this.#report(message.text());
    });
    page.on("pageerror", (error) => this.#report(String(error)));
    // Firefox does not report them.
    if (page.context().browser()?.browserType().name() !== "chromium") return;
    let count = 0;
    this.webSockets = count;
    page.on("websocket", () => {
      this.webSockets = ++count;
    });
  }

  /** Resolves when the client has noticed the disconnect, some time after the network. */
  async untilDisconnected(): Promise<void> {
    await expect.poll(async () => (await this.do("look")).state).toBe("disconnected");
  }

  /** Removes the worker or frame. Returns how its bridges ended. */
  async remove(): Promise<readonly BridgeEnd[]> {
    return await this.evaluate(
      (place) => (globalThis as unknown as PageGlobal).harness.remove(place as never),
      this.place,
    );
  }

  takeTaskTimes(): Promise<TaskTimes> {
    return this.evaluate(() => (globalThis as unknown as PageGlobal).harness.takeTaskTimes(), null);
  }

  protected goto(url: string): Promise<unknown> {
    return this.page.goto(url);
  }

  protected evaluate<A, R>(script: (argument: A) => R | Promise<R>, argument: A): Promise<R> {
    return this.page.evaluate(script as (argument: unknown) => R | Promise<R>, argument);
  }

  #report(text: string): void {
    if (!FIREFOX_RESET_MESSAGE.test(text)) this.problems.push(text);
  }
}
