import type { Harness, Place } from "../page/main.ts";
import type { Scenario } from "../page/scenario.ts";
import type { Stage } from "./stage.ts";

export type Result<K extends keyof Scenario> = Awaited<ReturnType<Scenario[K]>>;
export type PageGlobal = { readonly harness: Harness };

/** The test page in any browser. The subclasses drive it. */
export abstract class ScenarioPage {
  /** The number of WebSockets that the page and its workers have opened; undefined where the browser does not report them. */
  webSockets: number | undefined;
  protected readonly place: Place;
  readonly #stage: Stage;

  constructor(stage: Stage, place: Place) {
    this.#stage = stage;
    this.place = place;
  }

  protected abstract goto(url: string): Promise<unknown>;

  /** Calls a function in the page. It sees only its argument. */
  protected abstract evaluate<A, R>(script: (argument: A) => R | Promise<R>, argument: A): Promise<R>;

  async open(): Promise<void> {
    await this.goto(this.#stage.pages.origin);
    await this.do("prepare", this.#stage.address);
  }

  /** Calls a method of the scenario, in the page or in its worker or frame. */
  async do<K extends keyof Scenario>(name: K, ...args: Parameters<Scenario[K]>): Promise<Result<K>> {
    const request = { place: this.place, call: { name, args } };
    return (await this.evaluate(
      ({ place, call }) => (globalThis as unknown as PageGlobal).harness.perform(place, call as never),
      request,
    )) as Result<K>;
  }

  violations(): Promise<string[]> {
    return this.evaluate(() => (globalThis as unknown as PageGlobal).harness.violations, null);
  }
}
