import { expect } from "@playwright/test";

/** Milliseconds after which a script in the page is aborted. Longer than the timeout of a test, which reports more. */
const SCRIPT_TIMEOUT_MS = 120_000;
const LOAD_TIMEOUT_MS = 20_000;

/** Calls a function with an argument, and the callback that WebDriver adds with what it returned or threw. */
const CALLER = `
  const [argument, done] = arguments;
  const text = (error) => String(error?.stack ?? error);
  new Promise((resolve) => resolve((FUNCTION)(argument))).then(
    (value) => done({ value }),
    (error) => done({ error: error + "\\n" + text(error) }),
  );`;

/** A browser that is driven by the W3C WebDriver protocol. It ends with its driver. */
export class WebDriverSession {
  /** Name and version of the browser. */
  readonly browser: string;
  readonly #url: string;

  private constructor(url: string, browser: string) {
    this.#url = url;
    this.browser = browser;
  }

  /** Starts a browser with an empty profile. */
  static async start(driverUrl: string): Promise<WebDriverSession> {
    // WebKitGTK's own wait for a page sometimes ends too early, and sometimes never.
    const alwaysMatch = { pageLoadStrategy: "none", timeouts: { script: SCRIPT_TIMEOUT_MS } };
    const created = await send(`${driverUrl}/session`, { capabilities: { alwaysMatch } });
    const { sessionId, capabilities } = created as Created;
    const { browserName, browserVersion } = capabilities;
    return new WebDriverSession(`${driverUrl}/session/${sessionId}`, `${browserName} ${browserVersion}`);
  }

  /** Resolves when the page has loaded. */
  async goto(url: string): Promise<void> {
    await send(`${this.#url}/url`, { url });
    await expect.poll(() => this.#hasLoaded(url), { timeout: LOAD_TIMEOUT_MS }).toBe(true);
  }

  /** Calls a function in the page, as Playwright's `page.evaluate()` does: its source is sent, so it sees only its argument. */
  async evaluate<A, R>(script: (argument: A) => R | Promise<R>, argument: A): Promise<R> {
    const body = { script: CALLER.replace("FUNCTION", () => String(script)), args: [argument] };
    const { value, error } = (await send(`${this.#url}/execute/async`, body)) as Outcome<R>;
    if (error !== undefined) throw new Error(error);
    return value as R;
  }

  async #hasLoaded(url: string): Promise<boolean> {
    const script = 'return location.href.startsWith(arguments[0]) && document.readyState === "complete"';
    try {
      return (await send(`${this.#url}/execute/sync`, { script, args: [url] })) === true;
    } catch {
      // The page before was left meanwhile.
      return false;
    }
  }
}

interface Created {
  readonly sessionId: string;
  readonly capabilities: { readonly browserName: string; readonly browserVersion: string };
}

interface Outcome<R> {
  readonly value?: R;
  readonly error?: string;
}

async function send(url: string, body: unknown): Promise<unknown> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  const { value } = (await response.json()) as { value: { error?: string; message?: string } | null };
  if (!response.ok) throw new Error(`WebDriver: ${value?.error}: ${value?.message}`);
  return value;
}
