import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

const ROOT = join(import.meta.dirname, "../..");

/** A real gateway in its own process, which can be killed and restarted on the same port. */
export class GatewayChild {
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;
  #port = 0;

  private constructor(args: readonly string[]) {
    this.#args = args;
  }

  static async start(options: { upstream: string; origin: string; token: string }): Promise<GatewayChild> {
    const gateway = new GatewayChild([options.upstream, options.origin, options.token]);
    await gateway.restart();
    return gateway;
  }

  /** The same after a restart. */
  get port(): number {
    return this.#port;
  }

  /** Resolves when the process has exited. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  async restart(): Promise<void> {
    await this.kill();
    const program = join(import.meta.dirname, "gateway-process.ts");
    const child = spawn(
      process.execPath,
      ["--import", "tsx", program, ...this.#args, String(this.#port)],
      // Without the loaders of the test runner.
      { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, NODE_OPTIONS: "" } },
    );
    this.#child = child;
    const [line] = (await once(createInterface(child.stdout), "line")) as [string];
    this.#port = Number(new URL(line).port);
  }
}
