import { describe, expect, it } from "vitest";
import { ExecServerClient, webSocket } from "../../src/index.ts";
import { ExecServer } from "../support/exec-server.ts";
import { failureOf } from "../support/failure.ts";

describe("a frame too large for the server", () => {
  it("is rejected before it is sent, and the connection stays usable", async () => {
    await using server = await ExecServer.start();
    await using client = await ExecServerClient.connect({ transport: webSocket(server.url) });
    const huge = "ä".repeat(8 * 1024 * 1024);
    expect(await failureOf(client.run(["true", huge]))).toMatchObject({
      code: "ERR_TOO_LARGE",
      delivery: "not-sent",
    });
    expect(await client.status()).toEqual({ status: "ready" });
  });
});

describe("20,000 calls at once", () => {
  it("all get a response from the real server while a process is written to and read from", async () => {
    await using server = await ExecServer.start();
    await using client = await ExecServerClient.connect({ transport: webSocket(server.url) });
    await using cat = await client.start(["cat"], { stdin: "pipe" });
    const received = (async () => {
      let length = 0;
      for await (const { chunk } of cat) {
        length += chunk.length;
        if (length === 300 * 1024) return length;
      }
      return length;
    })();
    const writes = Promise.all(Array.from({ length: 300 }, () => cat.write(new Uint8Array(1024))));
    const answers = await Promise.all(Array.from({ length: 20_000 }, () => client.status()));
    expect(answers.every(({ status }) => status === "ready")).toBe(true);
    await writes;
    expect(await received).toBe(300 * 1024);
  });
});
