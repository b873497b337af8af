import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { chromium } from "@playwright/test";

export const CHROMIUM_ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const CHROMIUM_NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const FIREFOX_NAMES = ["firefox-esr"];
const WEBKIT_DRIVER_NAMES = ["WebKitWebDriver"];
const XVFB_NAMES = ["Xvfb"];

/** Finds a Chromium: `CHROMIUM_PATH`, one on the PATH, or Playwright's. Never installs one. */
export function findChromium(): string | undefined {
  return process.env["CHROMIUM_PATH"] ?? onPath(CHROMIUM_NAMES) ?? playwrightChromium();
}

/** Finds Firefox ESR, which Playwright drives through WebDriver BiDi: `FIREFOX_PATH`, or one on the PATH. */
export function findFirefox(): string | undefined {
  return process.env["FIREFOX_PATH"] ?? onPath(FIREFOX_NAMES);
}

/** Finds the WebDriver of WebKitGTK, which starts the MiniBrowser of its own version: `WEBKIT_DRIVER_PATH`, or one on the PATH. */
export function findWebKitDriver(): string | undefined {
  return process.env["WEBKIT_DRIVER_PATH"] ?? onPath(WEBKIT_DRIVER_NAMES);
}

/** Finds the display of a browser that has no headless mode: `XVFB_PATH`, or one on the PATH. */
export function findXvfb(): string | undefined {
  return process.env["XVFB_PATH"] ?? onPath(XVFB_NAMES);
}

/** Installs a Chromium if none is found. For global setups: a configuration is also evaluated by tools that run no test. */
export function provideChromium(): string {
  const found =
    findChromium() ??
    (installPlaywrightChromium() ? playwrightChromium() : undefined) ??
    (installDebian("chromium") ? onPath(CHROMIUM_NAMES) : undefined);
  return remember("CHROMIUM_PATH", found, "Chromium");
}

/** Installs Firefox ESR if it is not found. */
export function provideFirefox(): string {
  const found = findFirefox() ?? (installDebian("firefox-esr") ? onPath(FIREFOX_NAMES) : undefined);
  return remember("FIREFOX_PATH", found, "Firefox ESR");
}

/** Installs WebKitGTK with its driver, and Xvfb, if they are not found. */
export function provideWebKit(): void {
  const driver = findWebKitDriver() ?? (installDebian("webkit2gtk-driver") ? findWebKitDriver() : undefined);
  remember("WEBKIT_DRIVER_PATH", driver, "WebDriver of WebKitGTK");
  const display = findXvfb() ?? (installDebian("xvfb") ? findXvfb() : undefined);
  remember("XVFB_PATH", display, "Xvfb");
}

/** Keeps the result in the environment of the test workers, which evaluate the configuration again. */
function remember(variable: string, found: string | undefined, name: string): string {
  if (!found) {
    throw new Error(`No ${name} was found and none could be installed. Set ${variable} to its executable.`);
  }
  process.env[variable] = found;
  return found;
}

function onPath(names: readonly string[]): string | undefined {
  const directories = (process.env["PATH"] ?? "").split(delimiter);
  return names.flatMap((name) => directories.map((directory) => join(directory, name))).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function playwrightChromium(): string | undefined {
  const path = chromium.executablePath();
  return existsSync(path) ? path : undefined;
}

function installPlaywrightChromium(): boolean {
  const cli = createRequire(import.meta.url).resolve("@playwright/test/cli");
  return spawnSync(process.execPath, [cli, "install", "chromium"], { stdio: "inherit" }).status === 0;
}

function installDebian(name: string): boolean {
  if (process.getuid?.() !== 0 || !existsSync("/etc/debian_version")) return false;
  const aptGet = (...args: string[]): boolean =>
    spawnSync("apt-get", ["-qq", ...args], {
      stdio: "inherit",
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    }).status === 0;
  return aptGet("update") && aptGet("install", "--yes", "--no-install-recommends", name);
}
