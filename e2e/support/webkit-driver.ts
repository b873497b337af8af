import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { expect } from "@playwright/test";
import { killAtExit, killGroup } from "../../src/node/process-group.ts";
import { findWebKitDriver, findXvfb } from "./browser.ts";

/** The state of a listening socket in `/proc/net/tcp`. */
const LISTENING = "0A";
/** Characters of a program's log that an error shows. */
const MAX_SHOWN_LOG = 2_000;

interface Parts {
  readonly display: ChildProcess;
  readonly driver?: ChildProcess;
  /** The caches and settings of the browser. */
  readonly directory: string;
}

/** The WebDriver of WebKitGTK on a display of its own. Its browser has no headless mode. */
export class WebKitDriver {
  readonly url: string;
  readonly #parts: Parts;

  private constructor(url: string, parts: Parts) {
    this.url = url;
    this.#parts = parts;
  }

  static async start(): Promise<WebKitDriver> {
    const display = start(findXvfb() ?? "Xvfb", ["-displayfd", "3", "-nolisten", "tcp"]);
    let parts: Parts = { display, directory: mkdtempSync(join(tmpdir(), "exec-server-webkit-")) };
    try {
      const [number] = await firstOf(display, once(display.stdio[3] as Readable, "data"));
      const { directory } = parts;
      const driver = start(findWebKitDriver() ?? "WebKitWebDriver", ["--port=0"], {
        DISPLAY: `:${String(number).trim()}`,
        ...{ XDG_CACHE_HOME: directory, XDG_CONFIG_HOME: directory, XDG_DATA_HOME: directory },
      });
      parts = { ...parts, driver };
      return new WebKitDriver(`http://127.0.0.1:${await firstOf(driver, portOf(driver))}`, parts);
    } catch (error) {
      await end(parts);
      throw error;
    }
  }

  /** Resolves when the driver, its browser and the display have ended. */
  async close(): Promise<void> {
    await end(this.#parts);
  }
}

/** Starts a program as the leader of a group, which its own children join. */
function start(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  const child = spawn(program, args, {
    detached: true,
    // The last is for the number of the display.
    stdio: ["ignore", "ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  child.once("exit", killAtExit(child));
  return child;
}

/** Settles as the promise, or rejects with what the program has logged if it ends before. */
function firstOf<T>(child: ChildProcess, ready: Promise<T>): Promise<T> {
  let log = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    log = (log + text).slice(-MAX_SHOWN_LOG);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) =>
      reject(
        new Error(`${child.spawnfile} ended with ${signal ?? `code ${code}`} before it was ready\n${log}`),
      ),
    );
    ready.then(resolve, reject);
  });
}

/** The port that the system has chosen for a program, which does not print it. Linux only, like WebKitGTK. */
async function portOf({ pid }: ChildProcess): Promise<number> {
  await expect.poll(() => listeningPort(`/proc/${pid}`)).toBeGreaterThan(0);
  return listeningPort(`/proc/${pid}`);
}

/** The first port that a process listens on, or 0. */
function listeningPort(process: string): number {
  try {
    const links = readdirSync(`${process}/fd`).map((fd) => readlinkSync(`${process}/fd/${fd}`));
    for (const line of readFileSync(`${process}/net/tcp`, "utf8").split("\n")) {
      const [, address = "", , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === LISTENING && links.includes(`socket:[${inode}]`))
        return Number.parseInt(address.slice(address.indexOf(":") + 1), 16);
    }
  } catch {
    // The process has ended, or closed a descriptor meanwhile.
  }
  return 0;
}

/** Ends the driver and its browser, then the display, which removes its lock file on SIGTERM. */
async function end({ display, driver, directory }: Parts): Promise<void> {
  await exitOf(driver, "SIGKILL");
  await exitOf(display, "SIGTERM");
  rmSync(directory, { recursive: true, force: true });
}

async function exitOf(child: ChildProcess | undefined, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  killGroup(child, signal);
  await exited;
}
