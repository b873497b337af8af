import type { PageGlobal } from "./scenario-page.ts";
import { ScenarioPage } from "./scenario-page.ts";
import type { Stage } from "./stage.ts";
import type { WebDriverSession } from "./webdriver.ts";

/** The test page in a browser that is driven by WebDriver. */
export class WebKitTab extends ScenarioPage {
  readonly #session: WebDriverSession;

  constructor(session: WebDriverSession, stage: Stage) {
    super(stage, "inPage");
    this.#session = session;
  }

  /** The page's own record of uncaught errors: WebDriver does not report them. */
  problems(): Promise<string[]> {
    return this.evaluate(() => (globalThis as unknown as PageGlobal).harness.problems, null);
  }

  protected goto(url: string): Promise<void> {
    return this.#session.goto(url);
  }

  protected evaluate<A, R>(script: (argument: A) => R | Promise<R>, argument: A): Promise<R> {
    return this.#session.evaluate(script, argument);
  }
}
