import { describe, expect, it } from "vitest";
import { failureOf } from "../support/failure.ts";
import { NumberedCheck, numberedLines } from "../support/numbered.ts";
import { realClient } from "../support/real-client.ts";

const MiB = 1024 * 1024;

describe("a flood of output from a real server", () => {
  it("of 256 MiB arrives complete and in order, within bounded memory", async () => {
    await using real = await realClient();
    const size = 256 * MiB;
    await using process = await real.client.start(numberedLines(size), { maxBufferedBytes: 8 * MiB });
    const check = new NumberedCheck();
    let peak = 0;
    for await (const { chunk } of process) {
      check.accept(chunk);
      peak = Math.max(peak, globalThis.process.memoryUsage().rss);
    }
    expect(check.length).toBe(size);
    expect(peak).toBeLessThan(700 * MiB);
    expect(await process.closed).toMatchObject({ exitCode: 0 });
  }, 120_000);

  it("that is not read delays neither calls nor another process; exit and close resolve", async () => {
    await using real = await realClient();
    const flood = await real.client.start(["head", "-c", String(64 * MiB), "/dev/zero"], {
      maxBufferedBytes: MiB,
    });
    for (let n = 0; n < 20; n++) expect(await real.client.status()).toEqual({ status: "ready" });
    expect((await real.client.run(["echo", "me too"])).stdout).toBe("me too\n");
    expect(await flood.exited).toMatchObject({ exitCode: 0 });
    expect(await flood.closed).toMatchObject({ exitCode: 0 });

    let kept = 0;
    const read = (async () => {
      for await (const { chunk } of flood) kept += chunk.length;
    })();
    expect(await failureOf(read)).toMatchObject({ code: "ERR_OVERFLOW", limit: MiB });
    expect(kept).toBe(MiB);
  });

  it("keeps exactly the newest bytes with drop-oldest", async () => {
    await using real = await realClient();
    const flood = await real.client.start(["sh", "-c", "seq 1 1000000; echo end"], {
      maxBufferedBytes: 64 * 1024,
      overflow: "drop-oldest",
    });
    await flood.closed;
    const total = 6_888_896 + 4;
    expect(flood.droppedBytes).toBe(total - 64 * 1024);
    let text = "";
    let gaps = 0;
    for await (const { chunk, droppedBefore = 0 } of flood) {
      text += new TextDecoder().decode(chunk);
      gaps += droppedBefore;
    }
    expect(text).toHaveLength(64 * 1024);
    expect(text.endsWith("999999\n1000000\nend\n")).toBe(true);
    expect(gaps).toBe(flood.droppedBytes);
  });

  it("is discarded after a read ends early, and the process keeps running", async () => {
    await using real = await realClient();
    const process = await real.client.start(["head", "-c", String(16 * MiB), "/dev/zero"], {
      maxBufferedBytes: 64 * 1024,
    });
    for await (const _ of process) break;
    expect(await process.closed).toMatchObject({ exitCode: 0 });
  });
});
