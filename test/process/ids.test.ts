import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failureOf } from "../support/failure.ts";
import { realClient } from "../support/real-client.ts";
import { scriptedProcess } from "../support/scripted-process.ts";

let real: Awaited<ReturnType<typeof realClient>>;

beforeAll(async () => {
  real = await realClient();
});

afterAll(async () => {
  await real[Symbol.asyncDispose]();
});

/** The request of `start`, without the client's check of the id. */
function rawStart(processId: string): Promise<unknown> {
  return real.client.call("process/start", {
    processId,
    argv: ["sleep", "60"],
    cwd: "file:///",
    envPolicy: null,
    env: {},
    tty: false,
    pipeStdin: false,
    arg0: null,
    sandbox: null,
  });
}

describe("two concurrent starts with the same id", () => {
  it("start one process; the client refuses the other start", async () => {
    const [first, second] = await Promise.allSettled([
      real.client.start(["true"], { processId: "twins" }),
      real.client.start(["true"], { processId: "twins" }),
    ]);
    expect(first.status).toBe("fulfilled");
    expect(second).toMatchObject({ status: "rejected", reason: { code: "ERR_INVALID_ARGUMENT" } });
  });

  it("start one process; the server rejects the other start", async () => {
    const outcomes = await Promise.allSettled([rawStart("raw-twins"), rawStart("raw-twins")]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(outcomes.find(({ status }) => status === "rejected")).toMatchObject({
      reason: { code: "ERR_SERVER", rpcCode: -32600, kind: "already-exists" },
    });
    await real.client.call("process/terminate", { processId: "raw-twins" });
  });
});

describe("a write that is sent twice", () => {
  it("is accepted twice and performed once", async () => {
    await using cat = await real.client.start(["cat"], { stdin: "pipe", signals: false });
    const write = (text: string, writeId: string) =>
      real.client.call("process/write", {
        processId: cat.processId,
        chunk: Buffer.from(text).toString("base64"),
        writeId,
      });
    for (const [text, writeId] of [
      ["once ", "first"],
      ["once ", "first"],
      ["end", "second"],
    ] as const) {
      expect(await write(text, writeId)).toMatchObject({ status: "accepted" });
    }
    let seen = "";
    for await (const { chunk } of cat) {
      seen += new TextDecoder().decode(chunk);
      if (seen.endsWith("end")) break;
    }
    expect(seen).toBe("once end");
    expect(await failureOf(write("x", ""))).toMatchObject({ code: "ERR_SERVER", rpcCode: -32602 });
  });
});

describe("an interrupt", () => {
  it("of an exited process resolves without a request", async () => {
    await using scripted = await scriptedProcess();
    scripted.exited(1);
    await scripted.process.exited;
    await scripted.process.interrupt();
    expect(scripted.server.requests("process/signal")).toEqual([]);
  });

  it("of an unknown process is not an error for the server", async () => {
    expect(await real.client.call("process/signal", { processId: "unknown", signal: "interrupt" })).toEqual(
      {},
    );
  });
});
