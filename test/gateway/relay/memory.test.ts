import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { ExecServer } from "../../support/exec-server.ts";
import { ORIGIN, PROTOCOLS, TOKEN } from "../../support/gateway.ts";
import { GatewayCommand } from "../../support/gateway-command.ts";
import { RawServer } from "../../support/tcp-server.ts";
import { filesIn, temporaryDirectory } from "../../support/temporary-files.ts";
import { clientFrame, openRawWebSocket } from "../../support/upgrade-request.ts";

const MiB = 1024 * 1024;
/** What the documentation promises for each page and direction. */
const MAX_QUEUED = MiB / 2;
/** What a process of Node grows by at work: garbage outside of the heap is collected in steps of 32 MiB. */
const GARBAGE = 48 * MiB;

const directory = temporaryDirectory();
const tokenFile = filesIn(directory)("token", TOKEN);

async function startCommand(
  upstream: string,
): Promise<{ command: GatewayCommand; url: string; port: number }> {
  const listen = ["--listen", "127.0.0.1:0", "--origin", ORIGIN, "--token-file", tokenFile];
  const command = new GatewayCommand(...listen, "--upstream", upstream);
  const url = await command.url();
  return { command, url, port: Number(new URL(url).port) };
}

test.each([
  ["and the exec-server reads what there is", true],
  ["and the exec-server does not read", false],
])("60 pages that stall inside a message of 16 MiB %s cost at most 512 KiB each", async (_, isReading) => {
  const pages = 60;
  await using server = await RawServer.upgraded();
  const { command, port } = await startCommand(server.url);
  await using _command = command;
  const sockets = [];
  for (let n = 0; n < pages; n++) {
    sockets.push(await openRawWebSocket(port));
    const upstream = await server.next();
    if (!isReading) upstream.pause();
  }
  const before = command.rss();
  const half = clientFrame(0x81, Buffer.alloc(8 * MiB, "x"), 16 * MiB);
  for (const socket of sockets) socket.write(half);
  expect((await command.peakUntilIdle()) - before).toBeLessThan(GARBAGE + pages * MAX_QUEUED);
  for (const socket of sockets) socket.destroy();
});

test("ten pages that read a file of 45 MiB, slowly, cost at most 512 KiB each, and get it whole", async () => {
  const pages = 10;
  const file = join(directory, "large");
  writeFileSync(file, Buffer.alloc(45 * MiB, "content "));
  await using server = await ExecServer.start();
  const { command, url } = await startCommand(server.url);
  await using _command = command;
  const readers = await Promise.all(
    Array.from({ length: pages }, async () => {
      const page = new WebSocket(url, PROTOCOLS, { origin: ORIGIN, perMessageDeflate: false });
      await once(page, "open");
      page.send(
        JSON.stringify({ id: 1, method: "initialize", params: { clientName: "raw", resumeSessionId: null } }),
      );
      await once(page, "message");
      page.send(JSON.stringify({ method: "initialized", params: {} }));
      return page;
    }),
  );
  const before = command.rss();
  for (const page of readers) {
    page.send(JSON.stringify({ id: 2, method: "fs/readFile", params: { path: `file://${file}` } }));
    page.pause();
  }
  expect((await command.peakUntilIdle()) - before).toBeLessThan(GARBAGE + pages * MAX_QUEUED);
  for (const page of readers) {
    page.resume();
    const [message] = (await once(page, "message")) as [Buffer];
    expect(message.length).toBeGreaterThan((45 * MiB * 4) / 3);
  }
  expect(command.rss() - before).toBeLessThan(GARBAGE + pages * 2 * MAX_QUEUED);
  for (const page of readers) page.terminate();
});
