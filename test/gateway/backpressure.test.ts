import { once } from "node:events";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { ExecServer } from "../support/exec-server.ts";
import { ORIGIN, PROTOCOLS, TOKEN } from "../support/gateway.ts";
import { GatewayCommand } from "../support/gateway-command.ts";
import { RawServer } from "../support/tcp-server.ts";
import { filesIn, temporaryDirectory } from "../support/temporary-files.ts";
import { PlainWebSocketServer } from "../support/websocket-server.ts";

const MiB = 1024 * 1024;
const OUTPUT_BYTES = 256 * MiB;
const INPUT_BYTES = 128 * MiB;
/** How much the resident memory of the gateway may grow. */
const MAX_GROWTH = 64 * MiB;

const tokenFile = filesIn(temporaryDirectory())("token", TOKEN);

async function startCommand(upstream: string): Promise<{ command: GatewayCommand; url: string }> {
  const listen = ["--listen", "127.0.0.1:0", "--origin", ORIGIN, "--token-file", tokenFile];
  const command = new GatewayCommand(...listen, "--upstream", upstream);
  return { command, url: await command.url() };
}

async function openPage(url: string): Promise<WebSocket> {
  const page = new WebSocket(url, PROTOCOLS, { origin: ORIGIN, perMessageDeflate: false });
  await once(page, "open");
  return page;
}

/** Sends text frames of 1 MiB, each once the one before it has left. */
function sendInput(page: WebSocket): { readonly sentBytes: number } {
  const input = { sentBytes: 0 };
  const block = Buffer.alloc(MiB, "x");
  const next = (): void => {
    if (input.sentBytes === INPUT_BYTES) return;
    input.sentBytes += block.length;
    page.send(block, { binary: false }, next);
  };
  next();
  return input;
}

test("a page that pauses 256 MiB of output costs no memory, and receives everything once it reads again", async () => {
  await using server = await ExecServer.start();
  const { command, url } = await startCommand(server.url);
  await using _ = command;
  const page = await openPage(url);
  const send = (message: object): void => page.send(JSON.stringify(message));
  send({ id: 1, method: "initialize", params: { clientName: "raw", resumeSessionId: null } });
  await once(page, "message");
  send({ method: "initialized", params: {} });
  const before = command.rss();
  const argv = ["head", "-c", String(OUTPUT_BYTES), "/dev/zero"];
  send({
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
  expect((await command.peakUntilIdle()) - before).toBeLessThan(MAX_GROWTH);
  expect(bytes).toBeLessThan(OUTPUT_BYTES / 4);
  page.resume();
  await ended;
  expect(bytes).toBeGreaterThan((OUTPUT_BYTES * 4) / 3);
  expect(command.rss() - before).toBeLessThan(2 * MAX_GROWTH);
  page.terminate();
});

test("a server that pauses 128 MiB of input costs no memory, and receives everything once it reads again", async () => {
  await using server = await PlainWebSocketServer.start({ perMessageDeflate: false });
  const { command, url } = await startCommand(server.url);
  await using _ = command;
  const page = await openPage(url);
  const upstream = await server.next();
  upstream.pause();
  let bytes = 0;
  const ended = new Promise<void>((resolve) => {
    upstream.on("message", (data: Buffer) => {
      bytes += data.length;
      if (bytes === INPUT_BYTES) resolve();
    });
  });
  const before = command.rss();
  const input = sendInput(page);
  expect((await command.peakUntilIdle()) - before).toBeLessThan(MAX_GROWTH);
  expect(input.sentBytes).toBeLessThan(INPUT_BYTES / 4);
  upstream.resume();
  await ended;
  expect(command.rss() - before).toBeLessThan(2 * MAX_GROWTH);
  page.terminate();
});

test("a page that sends 128 MiB while its upstream is dialled costs no memory", async () => {
  await using silent = await RawServer.silent();
  const { command, url } = await startCommand(silent.url);
  await using _ = command;
  const page = await openPage(url);
  const before = command.rss();
  const input = sendInput(page);
  expect((await command.peakUntilIdle()) - before).toBeLessThan(MAX_GROWTH);
  expect(input.sentBytes).toBeLessThan(INPUT_BYTES / 4);
  page.terminate();
});
