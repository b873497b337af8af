import { once } from "node:events";
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { ExecServer } from "../support/exec-server.ts";
import { ORIGIN, PROTOCOLS, TOKEN } from "../support/gateway.ts";
import { GatewayCommand } from "../support/gateway-command.ts";
import { filesIn, temporaryDirectory } from "../support/temporary-files.ts";
import { clientFrame, closed, openRawWebSocket, rawSocket, requestText } from "../support/upgrade-request.ts";

const MiB = 1024 * 1024;
const PAGES = 5_000;
const AT_ONCE = 25;

const tokenFile = filesIn(temporaryDirectory())("token", TOKEN);

/** The ways in which a page comes and goes. */
const VISITS: readonly ((port: number) => Promise<void>)[] = [
  async (port) => {
    const page = new WebSocket(`ws://127.0.0.1:${port}/`, PROTOCOLS, { origin: ORIGIN });
    await once(page, "open");
    page.send(
      JSON.stringify({ id: 1, method: "initialize", params: { clientName: "p", resumeSessionId: null } }),
    );
    await once(page, "message");
    page.close();
    await once(page, "close");
  },
  async (port) => {
    const page = await openRawWebSocket(port);
    page.resetAndDestroy();
    await closed(page);
  },
  async (port) => {
    const page = await openRawWebSocket(port);
    page.end(clientFrame(0x81, "{", 1_000_000));
    await closed(page.resume());
  },
  async (port) => {
    const page = await openRawWebSocket(port);
    page.end(clientFrame(0x88, ""));
    await closed(page.resume());
  },
  async (port) => {
    const page = await openRawWebSocket(port);
    page.end(clientFrame(0x83, "unknown"));
    await closed(page.resume());
  },
  async (port) => {
    const page = await rawSocket(port);
    page.write(requestText(port));
    page.destroy();
    await closed(page);
  },
  async (port) => {
    const page = await rawSocket(port);
    page.end(requestText(port, { headers: { Origin: "https://elsewhere.example" } }));
    await closed(page.resume());
  },
];

describe("the gateway", () => {
  test(`keeps no descriptor and no memory of ${PAGES} pages`, async () => {
    await using server = await ExecServer.start({ args: ["--concurrent-requests", "8"] });
    const listen = ["--listen", "127.0.0.1:0", "--origin", ORIGIN, "--token-file", tokenFile];
    await using command = new GatewayCommand(...listen, "--upstream", server.url);
    const port = Number(new URL(await command.url()).port);
    const visit = async (count: number): Promise<void> => {
      let visits = 0;
      const visitor = async (): Promise<void> => {
        while (visits < count) await VISITS[visits++ % VISITS.length]?.(port);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, visitor));
    };
    const descriptors = (): number => readdirSync(`/proc/${command.pid}/fd`).length;
    const atRest = descriptors();
    await visit(1_000);
    await expect.poll(descriptors, { timeout: 15_000 }).toBeLessThanOrEqual(atRest);
    const before = command.rss();
    await visit(PAGES);
    await expect.poll(descriptors, { timeout: 15_000 }).toBeLessThanOrEqual(atRest);
    // 1 KiB for each page would be 5 MiB; garbage comes and goes.
    expect(command.rss() - before).toBeLessThan(24 * MiB);
  });
});
