import { createHash, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { reportLine } from "../../src/process/launcher/report.ts";
import { describeOnBothServers } from "../support/both-servers.ts";
import { gone } from "../support/command-lines.ts";
import { failureOf } from "../support/failure.ts";
import { realClient } from "../support/real-client.ts";
import { scriptedProcess, startsProcesses } from "../support/scripted-process.ts";
import { output, QuietServer } from "../support/scripted-server.ts";

const MiB = 1024 * 1024;
const text = (stream: ReadableStream<Uint8Array>) =>
  new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).text();

describeOnBothServers("stdin, on", (real) => {
  it("ends the input with close(), after everything that was written", async () => {
    const process = await real.client.start(["sort", "-n"], { stdin: "pipe" });
    const writer = process.stdin.getWriter();
    for (let n = 300; n > 0; n--) void writer.write(`${n}\n`);
    await writer.close();
    expect(await text(process.stdout)).toBe(Array.from({ length: 300 }, (_none, n) => `${n + 1}\n`).join(""));
    expect(await process.closed).toMatchObject({ exitCode: 0 });
  });

  it("ends the input without a lock, and without a write", async () => {
    const process = await real.client.start(["wc", "-c"], { stdin: "pipe" });
    await process.stdin.close();
    expect((await text(process.stdout)).trim()).toBe("0");
  });

  it("is the same stream each time", async () => {
    await using process = await real.client.start(["cat"], { stdin: "pipe" });
    expect(process.stdin).toBe(process.stdin);
  });

  it("takes text and bytes beside write(), in the order of the calls", async () => {
    const process = await real.client.start(["cat"], { stdin: "pipe" });
    const writer = process.stdin.getWriter();
    const written = [
      writer.write("a"),
      process.write("b"),
      writer.write(Uint8Array.of(99)),
      process.write("d"),
    ];
    await Promise.all(written);
    await writer.close();
    // The stream passes each of its chunks on in a later turn.
    expect([...(await text(process.stdout))].sort().join("")).toBe("abcd");
  });

  it("lets the caller reuse the memory of a chunk as soon as its write has resolved", async () => {
    const process = await real.client.start(["cat"], { stdin: "pipe" });
    const writer = process.stdin.getWriter();
    const memory = new Uint8Array(1_000);
    for (let n = 0; n < 20; n++) {
      memory.fill(65 + n);
      await writer.write(memory);
    }
    await writer.close();
    const expected = Array.from({ length: 20 }, (_none, n) => String.fromCharCode(65 + n).repeat(1_000));
    expect(await text(process.stdout)).toBe(expected.join(""));
  });

  it("is fed by pipeTo(), with the end of the source", async () => {
    const data = randomBytes(8 * MiB);
    const process = await real.client.start(["sha1sum"], { stdin: "pipe" });
    await new Blob([data]).stream().pipeTo(process.stdin);
    expect(await text(process.stdout)).toBe(`${createHash("sha1").update(data).digest("hex")}  -\n`);
  });

  it("connects two processes, with backpressure", async () => {
    const first = await real.client.start(["seq", "1", "200000"], { overflow: "pause" });
    const second = await real.client.start(["wc", "-l"], { stdin: "pipe" });
    await first.stdout.pipeTo(second.stdin);
    expect((await text(second.stdout)).trim()).toBe("200000");
  });

  it("terminates the process on abort(), without an end of the input", async () => {
    const name = `abort-${crypto.randomUUID()}`;
    const process = await real.client.start(["sh", "-c", "cat; echo complete", name], { stdin: "pipe" });
    await process.write("part");
    await process.stdin.abort(new Error("no more"));
    expect(await text(process.stdout)).not.toContain("complete");
    expect((await process.closed).exitCode).not.toBe(0);
    await gone(name);
  });

  it("terminates the process when the source of a pipe fails", async () => {
    const error = new Error("the source broke");
    const process = await real.client.start(["sh", "-c", "cat; echo complete"], { stdin: "pipe" });
    const broken = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(error),
    });
    expect(await failureOf(broken.pipeTo(process.stdin))).toBe(error);
    expect(await text(process.stdout)).not.toContain("complete");
  });

  it("errors with ERR_STDIN_CLOSED when the process exits, also if it was never touched before", async () => {
    const expected = { code: "ERR_STDIN_CLOSED", message: expect.stringContaining("has exited") };
    const process = await real.client.start(["head", "-n", "1"], { stdin: "pipe" });
    const writer = process.stdin.getWriter();
    const closed = failureOf(writer.closed);
    await writer.write("x\n");
    expect(await closed).toMatchObject(expected);
    expect(await failureOf(writer.write("y"))).toMatchObject(expected);

    const untouched = await real.client.start(["true"], { stdin: "pipe" });
    await untouched.exited;
    expect(await failureOf(untouched.stdin.getWriter().closed)).toMatchObject(expected);
  });

  it("rejects writes after its end", async () => {
    await using process = await real.client.start(["sh", "-c", "cat; sleep 60"], { stdin: "pipe" });
    await process.stdin.close();
    expect(await failureOf(process.write("late"))).toMatchObject({
      code: "ERR_STDIN_CLOSED",
      delivery: "not-sent",
      operation: "write",
    });
  });
});

describe("the feeder of the input", () => {
  it("ends with a program that exits at once", async () => {
    await using real = await realClient({ args: ["--concurrent-requests", "8"] });
    const name = `at-once-${crypto.randomUUID()}`;
    for (let n = 0; n < 10; n++) {
      const starts = Array.from({ length: 5 }, () => real.client.start(["true", name], { stdin: "pipe" }));
      await Promise.all((await Promise.all(starts)).map(({ closed }) => closed));
    }
    await gone(name);
  });

  it.each([
    ["together with the report of the start", 1, 2],
    ["before the report of the start", 2, 1],
  ])("ends if the exit arrives %s", async (_, reported, exited) => {
    await using scripted = await scriptedProcess();
    scripted.server.handle("process/start", ({ params }, connection) => {
      const { processId } = params;
      output(connection, processId, reported, reportLine(7, "fed"));
      connection.notify("process/exited", { processId, seq: exited, exitCode: 0 });
      return { processId };
    });
    const process = await scripted.client.start(["true"], { stdin: "pipe" });
    const { params } = await scripted.connection.request("process/write");
    expect(params).toMatchObject({ processId: process.processId, chunk: btoa("0\n") });
    scripted.connection.drop();
  });
});

describe("write() to a program that does not read", () => {
  it("waits, while the process can be terminated", async () => {
    await using real = await realClient({ args: ["--concurrent-requests", "8"] });
    await using process = await real.client.start(["sleep", "60"], { stdin: "pipe" });
    let written = 0;
    const failed = failureOf(
      (async () => {
        for (; written < 64 * MiB; written += MiB / 16) await process.write(new Uint8Array(MiB / 16));
      })(),
    );
    // The server queues 128 writes. While 20 commands run, no further one is taken.
    for (let same = 0, last = -1; same < 20; last = written) {
      await real.client.run(["true"]);
      same = written === last ? same + 1 : 0;
    }
    expect(written).toBeLessThan(10 * MiB);
    expect(await process.terminate()).toEqual({ running: true });
    expect(await failed).toMatchObject({ code: "ERR_STDIN_CLOSED" });
  });
});

describe("stdin.close()", () => {
  it.each([
    ["with signals: false", { stdin: "pipe", signals: false }, "signals: false"],
    ["with arg0", { stdin: "pipe", arg0: "x" }, "arg0"],
    ["in a terminal", { tty: true }, "terminal"],
  ] as const)("rejects with ERR_UNSUPPORTED and the reason %s", async (_, options, reason) => {
    await using real = await realClient();
    await using process = await real.client.start(["cat"], options);
    expect(await failureOf(process.stdin.close())).toMatchObject({
      code: "ERR_UNSUPPORTED",
      message: expect.stringContaining(reason),
      operation: "stdin.close",
      program: "cat",
    });
  });

  it("leaves the process running and writable where it is unsupported", async () => {
    await using real = await realClient();
    await using process = await real.client.start(["cat"], { stdin: "pipe", signals: false });
    await failureOf(process.stdin.close());
    await process.write("still there");
    const { value } = await process.stdout.getReader().read();
    expect(new TextDecoder().decode(value)).toBe("still there");
  });

  it("errors with ERR_STDIN_CLOSED without a pipe", async () => {
    await using real = await realClient();
    await using process = await real.client.start(["sleep", "60"]);
    expect(await failureOf(process.stdin.getWriter().closed)).toMatchObject({ code: "ERR_STDIN_CLOSED" });
  });
});

/** A process whose input is fed, on a server that the test scripts. */
async function fedProcess() {
  const server = startsProcesses(new QuietServer());
  server.handle("process/start", ({ params }, connection) => {
    output(connection, params.processId, 1, reportLine(7, "fed"));
    return { processId: params.processId };
  });
  const scripted = await scriptedProcess({ stdin: "pipe", signals: true }, server);
  const frames = () =>
    server.requests("process/write").map(({ params }) => Buffer.from(params.chunk, "base64").toString());
  return { ...scripted, frames };
}

describe("a write that fails", () => {
  it("keeps the end from being sent: a part never looks like the whole", async () => {
    await using t = await fedProcess();
    const writer = t.process.stdin.getWriter();
    await writer.write("first");
    const closed = failureOf(writer.close());
    const first = await t.connection.request("process/write", 1);
    t.connection.refuse(first, -32603, "out of memory");
    expect(await closed).toMatchObject({ code: "ERR_SERVER" });
    expect(await failureOf(writer.closed)).toMatchObject({ code: "ERR_SERVER" });
    expect(t.frames()).toEqual(["5\nfirst"]);
  });

  it("rejects what is written behind it, unsent", async () => {
    await using t = await fedProcess();
    const failures = Promise.all(["a", "b", "c"].map((data) => failureOf(t.process.write(data))));
    const later = failureOf(t.process.write(new Uint8Array(MiB)));
    t.connection.refuse(await t.connection.request("process/write", 1), -32603, "out of memory");
    const [first, ...others] = await failures;
    expect(first).toMatchObject({ code: "ERR_SERVER" });
    for (const error of [...others, await later]) {
      expect(error).toMatchObject({ code: "ERR_STDIN_CLOSED", delivery: "not-sent" });
    }
    expect(t.frames()).toEqual(["1\na"]);
  });

  it("rejects a large write of the stream, which waits for it", async () => {
    await using t = await fedProcess();
    const written = failureOf(t.process.stdin.getWriter().write(new Uint8Array(3 * MiB)));
    await t.connection.request("process/write", 1);
    t.connection.drop();
    expect(await written).toMatchObject({ code: "ERR_DISCONNECTED" });
  });
});

describe("abort()", () => {
  it("terminates the process although a write is still in flight", async () => {
    await using t = await fedProcess();
    const writer = t.process.stdin.getWriter();
    const written = failureOf(writer.write(new Uint8Array(2 * MiB)));
    await t.connection.request("process/write", 1);
    void failureOf(writer.abort(new Error("enough")));
    await t.connection.request("process/terminate");
    t.connection.drop();
    await written;
  });
});

describe("a stream that is first looked at after the connection has ended", () => {
  it("has errored", async () => {
    await using t = await fedProcess();
    t.connection.drop();
    await failureOf(t.process.exited);
    expect(await failureOf(t.process.stdin.getWriter().closed)).toMatchObject({ code: "ERR_DISCONNECTED" });
  });
});

describe("a chunk of another kind", () => {
  it("is taken if it is bytes, and rejects its own write if not", async () => {
    await using t = await fedProcess();
    t.server.handle("process/write", () => ({ status: "accepted" as const }));
    const writer = t.process.stdin.getWriter();
    await writer.write(new Uint8Array([65, 66]).buffer as never);
    expect(await failureOf(writer.write(5 as never))).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
    expect(t.frames()).toEqual(["2\nAB"]);
  });
});
