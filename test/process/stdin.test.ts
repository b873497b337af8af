import { createHash } from "node:crypto";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ExecServerError, ServerError } from "../../src/index.ts";
import { describeOnBothServers } from "../support/both-servers.ts";
import { failureOf } from "../support/failure.ts";
import { realClient } from "../support/real-client.ts";
import { scriptedProcess } from "../support/scripted-process.ts";

describeOnBothServers("write() to", (real) => {
  it("keeps 300 writes that are not awaited in order", async () => {
    await using cat = await real.client.start(["head", "-n", "300"], { stdin: "pipe" });
    const writes = Array.from({ length: 300 }, (_, n) => cat.write(`${n}\n`));
    let text = "";
    for await (const { chunk } of cat) text += new TextDecoder().decode(chunk);
    await Promise.all(writes);
    expect(text).toBe(Array.from({ length: 300 }, (_, n) => `${n}\n`).join(""));
  });

  it("accepts 20 MiB in one write", async () => {
    const data = new Uint8Array(20 * 1024 * 1024).map((_, at) => (at * 31) % 251);
    await using process = await real.client.start(["sh", "-c", `head -c ${data.length} | sha256sum`], {
      stdin: "pipe",
    });
    await process.write(data);
    const { value } = await process[Symbol.asyncIterator]().next();
    const hash = new TextDecoder().decode(value?.chunk).split(" ")[0];
    expect(hash).toBe(createHash("sha256").update(data).digest("hex"));
  });
});

describe("write()", () => {
  it("rejects with ERR_STDIN_CLOSED without a pipe, and sends nothing", async () => {
    await using scripted = await scriptedProcess();
    expect(await failureOf(scripted.process.write("x"))).toMatchObject({
      code: "ERR_STDIN_CLOSED",
      delivery: "not-sent",
    });
    expect(scripted.server.requests("process/write")).toEqual([]);
  });

  it("rejects with ERR_STDIN_CLOSED after the process has exited", async () => {
    await using real = await realClient();
    const process = await real.client.start(["true"], { stdin: "pipe" });
    await process.exited;
    expect(await failureOf(process.write("x"))).toMatchObject({
      code: "ERR_STDIN_CLOSED",
      delivery: "not-sent",
    });
  });

  it.each(["stdinClosed", "unknownProcess"] as const)(
    "rejects with ERR_STDIN_CLOSED if the server responds with %s",
    async (status) => {
      await using scripted = await scriptedProcess({ stdin: "pipe" });
      scripted.server.handle("process/write", () => ({ status }));
      expect(await failureOf(scripted.process.write("x"))).toMatchObject({
        code: "ERR_STDIN_CLOSED",
        delivery: "answered",
      });
    },
  );

  it("sends each piece after the response to the previous one, with a unique write id", async () => {
    await using scripted = await scriptedProcess({ stdin: "pipe" });
    const writes = Promise.all([
      scripted.process.write(new Uint8Array(1024 * 1024 + 1)),
      scripted.process.write("end"),
    ]);
    const ids = new Set<unknown>();
    for (const [n, bytes] of [1024 * 1024, 1, 3].entries()) {
      const request = await scripted.connection.request("process/write", n + 1);
      expect(scripted.server.requests("process/write")).toHaveLength(n + 1);
      expect(Buffer.from(request.params.chunk, "base64")).toHaveLength(bytes);
      ids.add(request.params.writeId);
      scripted.connection.answer(request, { status: "accepted" });
    }
    await writes;
    expect(ids.size).toBe(3);
  });

  it("sends what is written behind a piece in flight as one piece", async () => {
    await using scripted = await scriptedProcess({ stdin: "pipe" });
    const settled: string[] = [];
    const write = (key: string) => scripted.process.write(key).then(() => settled.push(key));
    const first = write("a");
    for (const key of "bcde") void write(key);
    scripted.connection.answer(await scripted.connection.request("process/write", 1), { status: "accepted" });
    const merged = await scripted.connection.request("process/write", 2);
    expect(Buffer.from(merged.params.chunk, "base64").toString()).toBe("bcde");
    await first;
    expect(settled).toEqual(["a"]);
    const last = write("f");
    scripted.connection.answer(merged, { status: "accepted" });
    scripted.connection.answer(await scripted.connection.request("process/write", 3), { status: "accepted" });
    await last;
    expect(settled).toEqual([..."abcdef"]);
    expect(scripted.server.requests("process/write")).toHaveLength(3);
  });

  it("merges at most 1 MiB, and leaves larger writes alone", async () => {
    await using scripted = await scriptedProcess({ stdin: "pipe" });
    const sizes = [1, 1_000_000, 48_576, 1, 3 * 1024 * 1024, 0, 5];
    const writes = Promise.all(sizes.map((size) => scripted.process.write(new Uint8Array(size))));
    const pieces = [1, 1024 * 1024, 1, 1024 * 1024, 1024 * 1024, 1024 * 1024, 5];
    for (const [n, bytes] of pieces.entries()) {
      const request = await scripted.connection.request("process/write", n + 1);
      expect(Buffer.from(request.params.chunk, "base64")).toHaveLength(bytes);
      scripted.connection.answer(request, { status: "accepted" });
    }
    await writes;
  });

  it("keeps every byte and its order, whatever is written when", async () => {
    await using real = await realClient({ args: ["--concurrent-requests", "8"] });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ size: fc.integer({ min: 0, max: 40_000 }), isAwaited: fc.boolean() }), {
          maxLength: 30,
        }),
        async (steps) => {
          const data = steps.map(({ size }, n) => new Uint8Array(size).fill(n));
          const expected = Buffer.concat(data);
          await using process = await real.client.start(["head", "-c", String(expected.length)], {
            stdin: "pipe",
          });
          const writes: Promise<void>[] = [];
          for (const [n, { isAwaited }] of steps.entries()) {
            // The program may have read enough before an empty write at the end.
            if (data[n]?.length) writes.push(process.write(data[n]));
            if (isAwaited) await writes.at(-1);
          }
          await Promise.all(writes);
          const received = await new Response(process.stdout).arrayBuffer();
          expect(Buffer.from(received).equals(expected)).toBe(true);
        },
      ),
      { numRuns: 15 },
    );
  });

  it.each(["stdinClosed", "unknownProcess"] as const)(
    "rejects every write of a piece with its own error if the server responds with %s",
    async (status) => {
      await using scripted = await scriptedProcess({ stdin: "pipe" });
      const first = scripted.process.write("a");
      const failures = Promise.all(["b", "c", "d"].map((key) => failureOf(scripted.process.write(key))));
      scripted.connection.answer(await scripted.connection.request("process/write", 1), {
        status: "accepted",
      });
      await first;
      scripted.connection.answer(await scripted.connection.request("process/write", 2), { status });
      const errors = await failures;
      expect(new Set(errors).size).toBe(3);
      for (const error of errors) {
        expect(error).toMatchObject({ code: "ERR_STDIN_CLOSED", delivery: "unknown", operation: "write" });
      }
    },
  );

  it("rejects every write of a piece when the connection ends, and those behind it as not sent", async () => {
    await using scripted = await scriptedProcess({ stdin: "pipe" });
    const write = (data: string | Uint8Array) => failureOf(scripted.process.write(data));
    const first = scripted.process.write("a");
    const failures = Promise.all([write("b"), write("c"), write(new Uint8Array(1024 * 1024))]);
    scripted.connection.answer(await scripted.connection.request("process/write", 1), { status: "accepted" });
    await first;
    await scripted.connection.request("process/write", 2);
    scripted.connection.drop();
    expect(await failures).toMatchObject([
      { code: "ERR_DISCONNECTED", delivery: "unknown", operation: "write" },
      { code: "ERR_DISCONNECTED", delivery: "unknown", operation: "write" },
      { code: "ERR_DISCONNECTED", delivery: "not-sent", operation: "write" },
    ]);
  });

  it("rejects every write of a piece with the server's error, and sends the next piece", async () => {
    await using scripted = await scriptedProcess({ stdin: "pipe" });
    const first = scripted.process.write("a");
    const failures = Promise.all(["b", "c"].map((key) => failureOf(scripted.process.write(key))));
    scripted.connection.answer(await scripted.connection.request("process/write", 1), { status: "accepted" });
    await first;
    const last = scripted.process.write(new Uint8Array(1024 * 1024));
    scripted.connection.refuse(
      await scripted.connection.request("process/write", 2),
      -32603,
      "out of memory",
    );
    for (const error of await failures)
      expect(error).toMatchObject({ code: "ERR_SERVER", delivery: "unknown" });
    scripted.connection.answer(await scripted.connection.request("process/write", 3), { status: "accepted" });
    await last;
  });

  it("sends the next write after a failed one", async () => {
    await using scripted = await scriptedProcess({ stdin: "pipe" });
    const failed = failureOf(scripted.process.write("one"));
    const written = scripted.process.write("two");
    scripted.connection.refuse(
      await scripted.connection.request("process/write", 1),
      -32603,
      "failed to write to process stdin",
    );
    scripted.connection.answer(await scripted.connection.request("process/write", 2), { status: "accepted" });
    // The input broke at that moment. After it, the server reports it as closed.
    expect(await failed).toMatchObject({ code: "ERR_STDIN_CLOSED", operation: "write", program: "program" });
    await written;
  });

  it("rejects with the server's error for any other failure", async () => {
    await using scripted = await scriptedProcess({ stdin: "pipe" });
    scripted.server.handle("process/write", () => {
      throw new ServerError("out of memory", { rpcCode: -32603 });
    });
    expect(await failureOf(scripted.process.write("x"))).toMatchObject({ code: "ERR_SERVER" });
  });

  it("rejects with one error, whenever the input breaks", async () => {
    await using real = await realClient();
    const codes = new Set<unknown>();
    const note = (written: Promise<void>) => written.catch((error: ExecServerError) => codes.add(error.code));
    for (let n = 0; n < 30; n++) {
      const process = await real.client.start(["cat"], { stdin: "pipe" });
      await Promise.all([note(process.write("a")), process.terminate(), note(process.write("b"))]);
      await note(process.write("c"));
    }
    expect([...codes]).toEqual(["ERR_STDIN_CLOSED"]);
  });

  it("takes bytes of another realm, and every kind of view", async () => {
    await using scripted = await scriptedProcess({ stdin: "pipe" });
    scripted.server.handle("process/write", () => ({ status: "accepted" as const }));
    const foreign = runInNewContext(
      "[new Uint8Array([1, 2]), new Uint8Array([3]).buffer, new Uint16Array([4])]",
    ) as Uint8Array[];
    const view = new DataView(new Uint8Array([9, 5, 9]).buffer, 1, 1);
    for (const data of [...foreign, view]) await scripted.process.write(data);
    const sent = scripted.server
      .requests("process/write")
      .map(({ params }) => [...Buffer.from(params.chunk, "base64")]);
    expect(sent).toEqual([[1, 2], [3], [4, 0], [5]]);
  });

  it("refuses data that is neither a string nor bytes", async () => {
    await using scripted = await scriptedProcess({ stdin: "pipe" });
    expect(await failureOf(scripted.process.write(5 as never))).toMatchObject({
      code: "ERR_INVALID_ARGUMENT",
    });
  });
});
