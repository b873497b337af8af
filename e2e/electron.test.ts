import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failureOf } from "../test/support/failure.ts";
import { InstalledApp, type RunningApp } from "./electron/app.ts";

let app: InstalledApp;
beforeAll(async () => {
  app = await InstalledApp.install();
});
afterAll(() => app[Symbol.dispose]());

/** The process id of the page's exec-server, which is the parent process of each command. */
async function serverPid(running: RunningApp): Promise<number> {
  return Number((await running.do("run", "sh", "-c", "echo $PPID")).stdout);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe.each(["main.cjs", "main.mjs"])("%s of the Electron example, with a stub for Electron", (main) => {
  it("opens a sandboxed window, whose client connects on first use", async () => {
    await using running = await app.start(main);
    expect(running.loaded).toEqual({
      url: pathToFileURL(app.file("index.html")).href,
      webPreferences: {
        preload: app.file("preload.cjs"),
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
      },
    });
    expect(await running.do("state")).toBe("idle");
    expect((await running.do("run", "echo", "hello")).stdout).toBe("hello\n");
    expect(await running.do("state")).toBe("connected");
  });

  it("accepts ports from its own page only", async () => {
    await using running = await app.start(main);
    expect(await running.do("offerPortFrom", "https://attacker.example/")).toBe(false);
    expect(await running.do("offerPortFrom", `${running.loaded.url}.html`)).toBe(false);
    expect(await running.do("offerPortFrom", running.loaded.url)).toBe(true);
  });

  it("takes the page of a development server, unless it is packaged", async () => {
    const ELECTRON_RENDERER_URL = "http://localhost:5173";
    await using running = await app.start(main, { ELECTRON_RENDERER_URL });
    expect(running.loaded.url).toBe("http://localhost:5173/");
    expect(await running.do("offerPortFrom", pathToFileURL(app.file("index.html")).href)).toBe(false);
    expect((await running.do("run", "echo", "hello")).stdout).toBe("hello\n");

    await using packaged = await app.start(main, { ELECTRON_RENDERER_URL, IS_PACKAGED: "true" });
    expect(packaged.loaded.url).toBe(pathToFileURL(app.file("index.html")).href);
    expect(await packaged.do("offerPortFrom", "http://localhost:5173/")).toBe(false);
  });

  it("replaces a killed server once, on the next use", async () => {
    await using running = await app.start(main);
    const lost = await running.do("session");
    const pid = await serverPid(running);
    process.kill(pid, "SIGKILL");
    await expect.poll(() => running.do("state")).toBe("disconnected");
    expect(isAlive(pid)).toBe(false);
    const { clients, sessionId } = await running.do("getConcurrently", 50);
    expect(clients).toBe(1);
    expect(sessionId).not.toBe(lost);

    const next = await serverPid(running);
    await running.do("stream", "sh", "-c", "echo tick; exec sleep 1000");
    const rest = failureOf(running.do("readRest"));
    await running.do("killServer");
    expect(await rest).toMatchObject({ code: "ERR_DISCONNECTED", sessionId });
    await expect.poll(() => isAlive(next)).toBe(false);
    expect((await running.do("run", "echo", "again")).stdout).toBe("again\n");
  });

  it("leaves no server running when it quits", async () => {
    await using running = await app.start(main);
    const pid = await serverPid(running);
    await running.do("quit");
    expect(await running.exited).toBe(0);
    expect(isAlive(pid)).toBe(false);
  });
});

describe("the preload script of the Electron example", () => {
  /** Runs the script with the modules that a sandboxed preload script can require. */
  function runPreload() {
    const sent: unknown[] = [];
    const exposed: Record<string, Record<string, () => void>> = {};
    let onMessage!: (event: object) => void;
    const window = {
      addEventListener: (_: "message", listener: (event: object) => void) => {
        onMessage = listener;
      },
    };
    const electron = {
      contextBridge: {
        exposeInMainWorld: (name: string, api: Record<string, () => void>) => {
          exposed[name] = api;
        },
      },
      ipcRenderer: {
        send: (...message: unknown[]) => sent.push(message),
        postMessage: (...message: unknown[]) => sent.push(message),
      },
    };
    const require = (name: string): unknown => {
      if (["electron", "events", "timers", "url"].includes(name)) return name === "electron" ? electron : {};
      throw new Error(`a sandboxed preload script can't require ${name}`);
    };
    const source = readFileSync(app.file("preload.cjs"), "utf8");
    runInNewContext(source, { require, window, exports: {}, module: { exports: {} } });
    return { sent, exposed, window, onMessage };
  }

  it("runs in the sandbox, and passes the ports of the page on", () => {
    const { sent, window, onMessage } = runPreload();
    const port = {};
    onMessage({ source: window, data: "exec-server-port", ports: [port] });
    expect(sent).toEqual([["exec-server-port", null, [port]]]);
  });

  it("ignores messages of frames and other messages", () => {
    const { sent, window, onMessage } = runPreload();
    onMessage({ source: {}, data: "exec-server-port", ports: [{}] });
    onMessage({ source: window, data: "something else", ports: [{}] });
    expect(sent).toEqual([]);
  });

  it("exposes one function, and no channel of Electron", () => {
    const { sent, exposed } = runPreload();
    expect(Object.keys(exposed)).toEqual(["demo"]);
    expect(Object.keys(exposed["demo"] ?? {})).toEqual(["killServer"]);
    exposed["demo"]?.["killServer"]?.();
    expect(sent).toEqual([["kill-server"]]);
  });
});
