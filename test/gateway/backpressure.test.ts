import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { ExecServer } from "../support/exec-server.ts";
import { ORIGIN, PROTOCOLS, TOKEN } from "../support/gateway.ts";
import { GatewayCommand } from "../support/gateway-command.ts";
import { RawServer } from "../support/tcp-server.ts";
import { PlainWebSocketServer } from "../support/websocket-server.ts";

const MiB = 1024 * 1024;
const FLOOD = 256 * MiB;
const FLOOD_IN = 128 * MiB;
const MAX_GROWTH = 64 * MiB;

const directory = mkdtempSync(join(tmpdir(), "gateway-test-"));
const tokenFile = join(directory, "token");
writeFileSync(tokenFile, TOKEN);
afterAll(() => rmSync(directory, { recursive: true }));

async function gatewayBefore(upstream: string): Promise<{ command: GatewayCommand; url: string }> {
  const listen = ["--listen", "127.0.0.1:0", "--origin", ORIGIN, "--token-file", tokenFile];
  const command = new GatewayCommand(...listen, "--upstream", upstream);
  return { command, url: await command.url() };
}

async function openPage(url: string): Promise<WebSocket> {
  const page = new WebSocket(url, PROTOCOLS, { origin: ORIGIN, perMessageDeflate: false });
  await once(page, "open");
  return page;
}

/** The most memory it takes until it has read nothing for half a second. */
async function peakUntilStill(command: GatewayCommand): Promise<number> {
  let peak = 0;
  let before = -1;
  for (let still = 0; still < 10; ) {
    const now = command.bytesRead();
    still = now === before ? still + 1 : 0;
    before = now;
    peak = Math.max(peak, command.rss());
    await sleep(50);
  }
  return peak;
}

test("a page that stops reading a flood of 256 MiB costs no memory, and gets all of it in the end", async () => {
  await using server = await ExecServer.start();
  const { command, url } = await gatewayBefore(server.url);
  await using _ = command;
  const page = await openPage(url);
  const say = (message: object): void => page.send(JSON.stringify(message));
  say({ id: 1, method: "initialize", params: { clientName: "raw", resumeSessionId: null } });
  await once(page, "message");
  say({ method: "initialized", params: {} });
  const before = command.rss();
  const argv = ["head", "-c", String(FLOOD), "/dev/zero"];
  say({
    id: 2,
    method: "process/start",
    params: { processId: "p", argv, cwd: "file:///", env: {}, tty: false },
  });
  await once(page, "message");
  page.pause();
  let bytes = 0;
  const ended = new Promise<void>((resolve) => {
    page.on("message", (data: Buffer) => {
      bytes += data.length;
      if (data.includes('"process/closed"')) resolve();
    });
  });
  expect((await peakUntilStill(command)) - before).toBeLessThan(MAX_GROWTH);
  expect(bytes).toBeLessThan(FLOOD / 4);
  page.resume();
  await ended;
  expect(bytes).toBeGreaterThan((FLOOD * 4) / 3);
  expect(command.rss() - before).toBeLessThan(2 * MAX_GROWTH);
  page.terminate();
});

test("a server that stops reading a flood of 128 MiB costs no memory, and gets all of it in the end", async () => {
  await using server = await PlainWebSocketServer.start({ perMessageDeflate: false });
  const { command, url } = await gatewayBefore(server.url);
  await using _ = command;
  const page = await openPage(url);
  const upstream = await server.next();
  upstream.pause();
  let bytes = 0;
  const ended = new Promise<void>((resolve) => {
    upstream.on("message", (data: Buffer) => {
      bytes += data.length;
      if (bytes === FLOOD_IN) resolve();
    });
  });
  const before = command.rss();
  const block = Buffer.alloc(MiB, "x");
  let sent = 0;
  const next = (): void => {
    if (sent === FLOOD_IN) return;
    sent += block.length;
    page.send(block, { binary: false }, next);
  };
  next();
  expect((await peakUntilStill(command)) - before).toBeLessThan(MAX_GROWTH);
  expect(sent).toBeLessThan(FLOOD_IN / 4);
  upstream.resume();
  await ended;
  expect(command.rss() - before).toBeLessThan(2 * MAX_GROWTH);
  page.terminate();
});

test("a page that floods while its upstream is dialled costs no memory", async () => {
  await using silent = await RawServer.silent();
  const { command, url } = await gatewayBefore(silent.url);
  await using _ = command;
  const page = await openPage(url);
  const before = command.rss();
  const block = Buffer.alloc(MiB, "x");
  let sent = 0;
  const next = (): void => {
    if (sent === FLOOD_IN) return;
    sent += block.length;
    page.send(block, { binary: false }, next);
  };
  next();
  expect((await peakUntilStill(command)) - before).toBeLessThan(MAX_GROWTH);
  expect(sent).toBeLessThan(FLOOD_IN / 4);
  page.terminate();
});
