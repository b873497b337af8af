import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ExecServerClient, webSocket } from "../../src/index.ts";
import { gone } from "../support/command-lines.ts";
import { ExecServer } from "../support/exec-server.ts";
import { failureOf } from "../support/failure.ts";
import { NumberedCheck, numberedLines } from "../support/numbered.ts";
import { realClient } from "../support/real-client.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";

const MiB = 1024 * 1024;
/** Milliseconds after which the server ends a session without a connection, with some more. */
const SESSION_END_MS = 120_000;

describe.each([
  ["one request at a time", []],
  ["eight requests at a time", ["--concurrent-requests", "8"]],
])("on a server with %s", (_, args) => {
  it("512 MiB pass through a sink of 40 MB/s whole and in order, with less than 24 MiB unread", async () => {
    await using real = await realClient({ args });
    const size = 512 * MiB;
    // Beyond the limit the read would reject.
    const process = await real.client.start(numberedLines(size), {
      overflow: "pause",
      maxBufferedBytes: 24 * MiB,
    });
    const check = new NumberedCheck();
    const start = performance.now();
    for await (const { chunk } of process) {
      check.accept(chunk);
      const early = check.length / 40_000 - (performance.now() - start);
      if (early > 5) await sleep(early);
    }
    expect(check.length).toBe(size);
    expect(await process.closed).toMatchObject({ exitCode: 0 });
  });

  it("a connection that is cut in the middle of the input leaves nothing behind, and no complete input", async () => {
    await using server = await ExecServer.start({ args });
    const proxy = await TcpProxy.start(() => Number(new URL(server.url).port));
    const name = `cut-${crypto.randomUUID()}`;
    const client = await ExecServerClient.connect({ transport: webSocket(proxy.url) });
    const file = `/tmp/${name}-complete`;
    let pulls = 0;
    const input = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (pulls++ === 50) proxy.cut();
        controller.enqueue(new Uint8Array(64 * 1024));
      },
    });
    const waiting = await client.start(["sh", "-c", `cat >/dev/null; touch ${file}`, name], {
      stdin: "pipe",
    });
    await waiting.write("a part");
    const paused = await client.start(["sh", "-c", "yes", name], { overflow: "pause" });
    const reading = client.run(["sh", "-c", `cat >/dev/null; touch ${file}`, name], { input });
    for (const { code } of (await Promise.all([reading, waiting.closed, paused.closed].map(failureOf))) as {
      code: string;
    }[]) {
      expect(code).toBe("ERR_DISCONNECTED");
    }
    await client.close();
    await proxy.close();
    await gone(name, SESSION_END_MS);
    await using after = await ExecServerClient.connect({ transport: webSocket(server.url) });
    expect(await after.fs.exists(file)).toBe(false);
  });
});
