import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ExecProcess, ServerError } from "../../src/index.ts";
import { unobserved } from "../../src/internal/deferred.ts";
import { reportLine } from "../../src/process/launcher/report.ts";
import type { TestServer } from "../../src/testing.ts";
import { failureOf } from "../support/failure.ts";
import { realClient } from "../support/real-client.ts";
import { scriptedProcess, startsProcesses } from "../support/scripted-process.ts";
import { output, QuietServer } from "../support/scripted-server.ts";

let real: Awaited<ReturnType<typeof realClient>>;
beforeAll(async () => {
  real = await realClient();
});
afterAll(() => real[Symbol.asyncDispose]());

/** Starts every process, and reports the device of its terminal. */
function startsTerminals<Server extends TestServer>(server: Server): Server {
  server.handle("process/start", ({ params }, connection) => {
    if (params.tty) output(connection, params.processId, 1, reportLine(7, "/dev/pts/1"), "pty");
    return { processId: params.processId };
  });
  return server;
}

/** Returns a function that reads the output until it contains a text, and returns the output up to there. */
function outputReader(process: ExecProcess): (wanted: string) => Promise<string> {
  const pieces = process[Symbol.asyncIterator]();
  const decoder = new TextDecoder();
  let output = "";
  return async (wanted) => {
    while (!output.includes(wanted)) {
      const { value, done } = await pieces.next();
      if (done) throw new Error(`expected ${wanted} in the output, got: ${output}`);
      output += decoder.decode(value.chunk, { stream: true });
    }
    const end = output.indexOf(wanted) + wanted.length;
    const read = output.slice(0, end);
    output = output.slice(end);
    return read;
  };
}

describe("terminate()", () => {
  it("ends the process and reports whether it was still running", async () => {
    const process = await real.client.start(["sleep", "60"]);
    expect(await process.terminate()).toEqual({ running: true });
    await process.closed;
    expect(await process.terminate()).toEqual({ running: false });
  });

  it("is called at the end of `await using`", async () => {
    let closed: Promise<unknown>;
    {
      await using process = await real.client.start(["sleep", "60"]);
      closed = process.closed;
    }
    await closed;
  });

  it("sends no request for a closed process, whose id may be in use again", async () => {
    await using scripted = await scriptedProcess();
    scripted.exited(1);
    scripted.closed(2);
    await scripted.process.closed;
    expect(await scripted.process.terminate()).toEqual({ running: false });
    expect(scripted.server.requests("process/terminate")).toEqual([]);
  });

  it("is sent while 128 requests are pending", async () => {
    await using scripted = await scriptedProcess();
    const waiting = Array.from({ length: 200 }, () => failureOf(scripted.client.status()));
    const terminated = scripted.process.terminate();
    const request = await scripted.connection.request("process/terminate");
    scripted.connection.answer(request, { running: true });
    expect(await terminated).toEqual({ running: true });
    scripted.connection.drop();
    await Promise.all(waiting);
  });
});

describe("interrupt()", () => {
  it("runs the SIGINT handler of the program", async () => {
    const script = "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.05; done";
    const process = await real.client.start(["bash", "-c", script]);
    const readUntil = outputReader(process);
    await readUntil("ready");
    await process.interrupt();
    await readUntil("caught");
    expect(await process.closed).toMatchObject({ exitCode: 9 });
    await process.interrupt();
  });

  it("is Ctrl-C in a terminal", async () => {
    const process = await real.client.start(["sleep", "60"], { tty: true });
    await process.interrupt();
    expect((await process.closed).exitCode).not.toBe(0);
  });
});

describe("a terminal", () => {
  it("has the requested size, shows only the program's output, and can be resized", async () => {
    const script =
      "stty size; trap 'echo resized; stty size' WINCH; echo ready; while :; do sleep 0.05; done";
    await using process = await real.client.start(["bash", "-c", script], { tty: { rows: 30, cols: 99 } });
    const readUntil = outputReader(process);
    expect(await readUntil("ready\r\n")).toBe("30 99\r\nready\r\n");
    await process.resize({ rows: 11, cols: 22 });
    expect(await readUntil("11 22\r\n")).toBe("resized\r\n11 22\r\n");
  });

  it("has 24 rows and 80 columns by default, accepts input and reports output on stdout", async () => {
    await using process = await real.client.start(["bash", "-c", "stty size; read line; echo got $line"], {
      tty: true,
    });
    await process.write("hi\n");
    const text = await new Response(process.stdout).text();
    expect(text).toContain("24 80");
    expect(text).toContain("got hi");
  });

  it("has the last of many sizes that are not awaited", async () => {
    await using process = await real.client.start(["sh", "-c", "read -r _; stty size"], { tty: true });
    const readUntil = outputReader(process);
    await Promise.all([1, 2, 3, 4, 5].map((n) => process.resize({ rows: n, cols: n * 10 })));
    await process.write("\n");
    await readUntil("5 50");
  });

  it("passes arguments unchanged", async () => {
    const { stdout } = await real.client.run(["printf", "%s|", "a b", "$HOME", "", "'\""], { tty: true });
    expect(stdout).toBe("a b|$HOME||'\"|");
  });

  it("settles all promises of a program that exits at once", async () => {
    const process = await real.client.start(["true"], { tty: true });
    expect(await process.closed).toMatchObject({ exitCode: 0 });
    expect(await failureOf(process.resize({ rows: 1, cols: 1 }))).toMatchObject({ code: "ERR_UNSUPPORTED" });
  });

  it("refuses arg0, because the server would run the program of that name", async () => {
    expect(await failureOf(real.client.start(["bash"], { tty: true, arg0: "posh" }))).toMatchObject({
      code: "ERR_UNSUPPORTED",
    });
  });
});

describe("the methods of a process", () => {
  it("work through a deep Proxy, as of a reactive framework", async () => {
    const deep = <T extends object>(target: T): T =>
      new Proxy(target, {
        get: (object, name, receiver) => {
          const value: unknown = Reflect.get(object, name, receiver);
          return typeof value === "object" && value !== null && !(value instanceof Promise)
            ? deep(value)
            : value;
        },
      });
    const process = deep(await real.client.start(["head", "-n", "1"], { stdin: "pipe" }));
    await process.write("hello\n");
    expect(await new Response(process.stderr.pipeThrough(new TransformStream())).text()).toBe("");
    expect((await process.stdout.getReader().read()).value).toEqual(new TextEncoder().encode("hello\n"));
    expect(await process.closed).toMatchObject({ exitCode: 0 });
    expect(process.droppedBytes).toBe(0);
    await process.interrupt();
    expect(await process.terminate()).toEqual({ running: false });
  });

  it("name themselves and the program in their errors", async () => {
    await using scripted = await scriptedProcess({ stdin: "pipe", cwd: "/w" });
    for (const method of ["process/write", "process/signal", "process/terminate"] as const) {
      scripted.server.handle(method, () => {
        throw new ServerError("no", { rpcCode: -32603 });
      });
    }
    const { process } = scripted;
    const calls = {
      write: () => process.write("x"),
      resize: () => process.resize({ rows: 1, cols: 1 }),
      interrupt: () => process.interrupt(),
      terminate: () => process.terminate(),
    };
    for (const [operation, call] of Object.entries(calls)) {
      const error = (await failureOf(call())) as Error;
      expect(error).toMatchObject({ operation, program: "program", cwd: "/w" });
      expect(error.message).toContain(`${operation} 'program': `);
      expect(error.stack?.split("\n").slice(0, 11).join("\n")).toContain("control.test.ts");
    }
  });
});

describe("unread output beyond the limit", () => {
  const options = { maxBufferedBytes: 20 };
  const textOf = async (process: ExecProcess): Promise<string> => {
    await process.closed;
    let text = "";
    for await (const { chunk } of process) text += new TextDecoder().decode(chunk);
    return text;
  };

  it("loses its beginning in a terminal", async () => {
    const process = await real.client.start(["seq", "1000"], { ...options, tty: true });
    expect(await textOf(process)).toMatch(/999\r\n1000\r\n$/);
    expect(process.droppedBytes).toBeGreaterThan(0);
  });

  it("is an error of the reader otherwise, or with overflow: fail", async () => {
    for (const more of [{}, { tty: true, overflow: "fail" as const }]) {
      const process = await real.client.start(["seq", "1000"], { ...options, ...more });
      expect(await failureOf(textOf(process))).toMatchObject({ code: "ERR_OVERFLOW" });
    }
  });
});

describe("resize()", () => {
  it("sets the first size, and of those that come meanwhile only the newest", async () => {
    await using scripted = await scriptedProcess({ tty: true }, startsTerminals(new QuietServer()));
    const resized: number[] = [];
    const resize = (rows: number) =>
      scripted.process.resize({ rows, cols: 80 }).then(() => resized.push(rows));
    const sizesOf = (params: { argv: readonly string[] }) => params.argv.slice(-3, -1);
    const finish = async ({ processId }: { processId: string }) => {
      scripted.connection.notify("process/exited", { processId, seq: 1, exitCode: 0 });
      scripted.connection.notify("process/closed", { processId, seq: 2 });
    };
    const isFirstSet = resize(1);
    const first = await scripted.connection.request("process/start", 2);
    expect(sizesOf(first.params)).toEqual(["1", "80"]);
    for (let rows = 2; rows <= 60; rows++) void resize(rows);
    await finish(first.params);
    await isFirstSet;
    const second = await scripted.connection.request("process/start", 3);
    expect(resized).toEqual([1]);
    expect(sizesOf(second.params)).toEqual(["60", "80"]);
    const third = scripted.process.resize({ rows: 61, cols: 80 });
    await finish(second.params);
    await finish((await scripted.connection.request("process/start", 4)).params);
    await third;
    expect(resized).toEqual(Array.from({ length: 60 }, (_, n) => n + 1));
    expect(scripted.server.requests("process/start")).toHaveLength(4);
  });

  it("rejects every call whose size would have been set by a change that fails, and sets the next one", async () => {
    await using scripted = await scriptedProcess({ tty: true }, startsTerminals(new QuietServer()));
    const failures = Promise.all([1, 2].map((rows) => failureOf(scripted.process.resize({ rows, cols: 1 }))));
    const { params } = await scripted.connection.request("process/start", 2);
    const after = scripted.process.resize({ rows: 3, cols: 1 });
    const finish = (processId: string, exitCode: number) => {
      scripted.connection.notify("process/exited", { processId, seq: 1, exitCode });
      scripted.connection.notify("process/closed", { processId, seq: 2 });
    };
    finish(params.processId, 1);
    for (const error of await failures) expect(error).toMatchObject({ code: "ERR_PROCESS_EXIT" });
    finish((await scripted.connection.request("process/start", 3)).params.processId, 0);
    await after;
  });

  it("precedes the requests that wait for a place", async () => {
    await using scripted = await scriptedProcess({ tty: true }, startsTerminals(new QuietServer()));
    for (let n = 0; n < 300; n++) void unobserved(scripted.client.status());
    await scripted.connection.request("environment/status", 100);
    void unobserved(scripted.process.resize({ rows: 1, cols: 1 }));
    await scripted.connection.request("process/start", 2);
  });

  it("rejects with ERR_UNSUPPORTED if the process exits meanwhile", async () => {
    await using scripted = await scriptedProcess({ tty: true }, startsTerminals(new QuietServer()));
    const resized = failureOf(scripted.process.resize({ rows: 1, cols: 1 }));
    const { params } = await scripted.connection.request("process/start", 2);
    scripted.exited(2);
    scripted.connection.notify("process/exited", { processId: params.processId, seq: 1, exitCode: 2 });
    scripted.connection.notify("process/closed", { processId: params.processId, seq: 2 });
    expect(await resized).toMatchObject({ code: "ERR_UNSUPPORTED", operation: "resize" });
  });

  it("reaches a terminal whose program has a PATH without stty", async () => {
    const script = "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done";
    await using process = await real.client.start(["/bin/bash", "-c", `PATH=/usr/bin:/bin; ${script}`], {
      tty: true,
      env: { PATH: "/no/such" },
    });
    const readUntil = outputReader(process);
    await readUntil("ready");
    await process.resize({ rows: 50, cols: 100 });
    await readUntil("50 100");
  });

  it("rejects with ERR_UNSUPPORTED without a terminal", async () => {
    await using process = await real.client.start(["cat"], { stdin: "pipe" });
    expect(await failureOf(process.resize({ rows: 10, cols: 10 }))).toMatchObject({
      code: "ERR_UNSUPPORTED",
    });
  });

  it("refuses an invalid size", async () => {
    await using process = await real.client.start(["cat"], { tty: true });
    for (const size of [
      { rows: 0, cols: 1 },
      { rows: 1.5, cols: 1 },
      { rows: 1, cols: 70_000 },
    ]) {
      expect(await failureOf(process.resize(size))).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
    }
  });

  it("rejects with ERR_UNSUPPORTED on Windows, like a size at the start", async () => {
    const environmentInfo = { cwd: "file:///C:/", platformOs: "windows" };
    const server = startsProcesses(new QuietServer({ environmentInfo }));
    await using scripted = await scriptedProcess({ tty: true }, server);
    expect(await failureOf(scripted.process.resize({ rows: 1, cols: 1 }))).toMatchObject({
      code: "ERR_UNSUPPORTED",
    });
    expect(await failureOf(scripted.client.start(["x"], { tty: { rows: 1, cols: 1 } }))).toMatchObject({
      code: "ERR_UNSUPPORTED",
    });
    expect((await scripted.connection.request("process/start")).params).toMatchObject({
      argv: ["program"],
      tty: true,
    });
  });
});
