import { describe, expect, it } from "vitest";
import { relayNamed } from "../../src/tcp/relays/relays.ts";
import { TcpSocket } from "../../src/tcp/socket.ts";
import { failureOf } from "../support/failure.ts";
import { realClient } from "../support/real-client.ts";

/** What each relay prints when it is connected, and when the other side has ended after 6 bytes. */
const REPORTS = {
  perl: ["o", "6 bytes"],
  python3: ["o", "6 bytes"],
  node: ["o", "6 bytes"],
  socat: [
    "N starting data transfer loop with FDs [0,1] and [5,5]",
    "N socat I transferred 6 bytes from 5 to 1",
    "N socket 2 (fd 5) is at EOF",
  ],
  bash: ["o", "6 bytes (6 B) copied"],
};

describe.each(Object.entries(REPORTS))("a relay like %s that exits with 0", (name, lines) => {
  /** A script in place of the relay. */
  async function withRelay(script: string, run: (socket: TcpSocket) => Promise<void>) {
    await using real = await realClient();
    const { rpc, shell } = real.client.openSession();
    const relay = relayNamed(name);
    if (!relay) throw new Error(`no relay ${name}`);
    const signal = undefined;
    const process = await shell.start(script, lines, { isLaunched: !relay.isFramed, signal });
    await run(new TcpSocket({ rpc, process, relay, address: "there:1", signal }));
  }
  const report = "printf '%s\\n' \"$@\" >&2";

  it("has lost the connection if less arrived than the other side had sent", async () => {
    await withRelay(`printf abc; ${report}`, async ({ readable, closed }) => {
      const reader = readable.getReader();
      expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe("abc");
      const expected = {
        code: "ERR_SERVER",
        kind: "reset",
        message: expect.stringContaining("3 of 6 bytes"),
      };
      expect(await failureOf(reader.read())).toMatchObject(expected);
      expect(await failureOf(closed)).toMatchObject(expected);
    });
  });

  it("has ended the connection if all arrived", async () => {
    await withRelay(`printf abcdef; ${report}`, async ({ readable, closed }) => {
      expect(await new Response(readable).text()).toBe("abcdef");
      await closed;
    });
  });
});
