import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test as base, expect, type Page } from "@playwright/test";
import { createServer } from "vite";
import { ExecServer } from "../test/support/exec-server.ts";
import { TcpProxy } from "../test/support/tcp-proxy.ts";
import { GatewayChild } from "./support/gateway-child.ts";

const ROOT = join(import.meta.dirname, "..");
const EXAMPLE = join(ROOT, "examples/react");
const TOKEN = "token-of-the-react-page";

interface Servers {
  /** The origin of the page, which Vite's development server serves: only there StrictMode mounts twice. */
  readonly origin: string;
  /** Between the page and the gateway. */
  readonly front: TcpProxy;
  readonly execServer: ExecServer;
}

const test = base.extend<{ servers: Servers }>({
  // biome-ignore lint/correctness/noEmptyPattern: the runner reads the parameter's names.
  servers: async ({}, use) => {
    // The builds of other pages, before all tests, have made it "production", where StrictMode mounts once.
    const before = process.env["NODE_ENV"];
    process.env["NODE_ENV"] = "development";
    const vite = await createServer({
      configFile: join(EXAMPLE, "vite.config.ts"),
      root: EXAMPLE,
      cacheDir: join(ROOT, ".tmp/e2e-react"),
      logLevel: "warn",
      server: { host: "127.0.0.1", port: 0 },
      // As in an app that has installed the package: here it is a link, which Vite would not bundle.
      optimizeDeps: { include: ["exec-server-sdk"] },
    });
    await vite.listen();
    const { origin } = new URL(vite.resolvedUrls?.local[0] ?? "");
    const execServer = await ExecServer.start({ args: ["--concurrent-requests", "8"] });
    const gateway = await GatewayChild.start({ upstream: execServer.url, origin, token: TOKEN });
    const front = await TcpProxy.start(() => gateway.port);
    await use({ origin, front, execServer });
    await front.close();
    await Promise.all([gateway.kill(), execServer[Symbol.asyncDispose](), vite.close()]);
    if (before === undefined) delete process.env["NODE_ENV"];
    else process.env["NODE_ENV"] = before;
  },
});

/** The number of running processes that have this word as an argument. */
function processesWith(word: string): number {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(word);
    } catch {
      return false; // It has ended.
    }
  }).length;
}

/** The requests of a method that the page has sent. */
function sentBy(page: Page): (method: string) => number {
  const frames: string[] = [];
  page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => frames.push(String(payload))));
  return (method) => frames.filter((frame) => frame.includes(`"method":"${method}"`)).length;
}

test("the page with React has one connection under StrictMode, and no process of a discarded mount", async ({
  page,
  servers: { origin, front, execServer },
}) => {
  const problems: string[] = [];
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(String(error)));
  const sent = sentBy(page);
  const run = async (command: string): Promise<void> => {
    await page.getByPlaceholder("Command").fill(command);
    await page.getByRole("button", { name: "Run" }).click();
  };
  const output = page.locator("pre");
  const state = page.locator("output");

  await page.goto(origin);
  await page.getByPlaceholder("Gateway").fill(front.url);
  await page.getByPlaceholder("Token").fill(TOKEN);
  await expect(state).toHaveText("idle");
  expect(front.dials).toBe(0);

  await run("echo $((6 * 7)) grüße; exit 3");
  await expect(output).toHaveText("42 grüße\nexit code 3");
  await expect(state).toHaveText("connected");
  // The first mount was discarded before there was a connection.
  await expect.poll(() => sent("process/start")).toBe(1);

  // Connected now, so the first mount starts its process before it is discarded.
  await run("echo started; exec sleep 1001.5");
  await expect(output).toHaveText("started\n");
  await expect.poll(() => sent("process/start")).toBe(3);
  await expect.poll(() => processesWith("1001.5")).toBe(1);

  // Another run takes its place, which ends it.
  await run("echo started; exec sleep 1002.5");
  await expect(output).toHaveText("started\n");
  await expect.poll(() => processesWith("1001.5")).toBe(0);
  await expect.poll(() => processesWith("1002.5")).toBe(1);
  expect(front.dials).toBe(1);

  await execServer.restart();
  await expect(output).toContainText("ERR_DISCONNECTED: ");
  await expect(state).toHaveText("disconnected");
  expect(front.dials).toBe(1);
  await run("echo again");
  await expect(output).toHaveText("again\nexit code 0");
  await expect(state).toHaveText("connected");
  expect(front.dials).toBe(2);

  expect(problems).toEqual([]);
});
