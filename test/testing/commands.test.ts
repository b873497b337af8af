import { describe, expect, it, vi } from "vitest";
import { TestServer } from "../../src/testing.ts";
import { failureOf } from "../support/failure.ts";
import { readAll } from "../support/read.ts";
import { realClient } from "../support/real-client.ts";
import { connectedTo } from "../support/scripted-server.ts";

const connected = () => connectedTo(new TestServer());

describe("onCommand()", () => {
  it("defines the output and the exit code of a command", async () => {
    await using t = await connected();
    t.server.onCommand(["git", "status"], { stdout: "clean\n" });
    t.server.onCommand(["git", "push"], { stdout: Uint8Array.of(0x6f), stderr: "rejected\n", exitCode: 1 });
    expect(await t.client.run(["git", "status"])).toEqual({
      exitCode: 0,
      stdout: "clean\n",
      stderr: "",
      sandboxDenied: false,
    });
    expect(await failureOf(t.client.run(["git", "push"]))).toMatchObject({
      code: "ERR_PROCESS_EXIT",
      exitCode: 1,
      stdout: "o",
      stderr: "rejected\n",
    });
  });

  it("matches by a function of the arguments, and prefers the latest match", async () => {
    await using t = await connected();
    t.server.onCommand(([program]) => program === "git", { stdout: "any git" });
    const restore = t.server.onCommand(["git", "log"], { stdout: "the log" });
    expect((await t.client.run(["git", "log"])).stdout).toBe("the log");
    expect((await t.client.run(["git", "diff"])).stdout).toBe("any git");
    restore();
    restore();
    expect((await t.client.run(["git", "log"])).stdout).toBe("any git");
  });

  it("runs a script with the arguments, directory and environment of the start", async () => {
    await using t = await connected();
    t.server.onCommand(["make", "all"], async (process) => {
      process.stdout(`${process.argv.join(" ")} in ${process.cwd} for ${process.params.env["CI"]}\n`);
      await undefined;
      process.stderr("no rule\n");
      process.exit(2);
    });
    const make = t.client.run(["make", "all"], { cwd: "/src/a b", env: { CI: "1" }, reject: false });
    expect(await make).toMatchObject({
      exitCode: 2,
      stdout: "make all in /src/a b for 1\n",
      stderr: "no rule\n",
    });
  });

  it("sends output only after the response to the start", async () => {
    await using t = await connected();
    t.server.onCommand(["date"], { stdout: "today" });
    const release = (await t.server.connection()).holdFrames();
    const date = t.client.run(["date"]);
    await (await t.server.process()).ended;
    release((frames) => {
      const methods = frames.map((frame) => JSON.parse(String(frame)).method);
      expect(methods).toEqual([undefined, "process/output", "process/exited", "process/closed"]);
      return frames;
    });
    await date;
  });

  it("reports a script that throws on standard error, with exit code 1", async () => {
    await using t = await connected();
    t.server.onCommand(["make"], () => JSON.parse("{"));
    expect(await failureOf(t.client.run(["make"]))).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('the test\'s script of ["make"] failed: SyntaxError'),
    });
  });

  it("rejects an unknown command with an error that shows how to add it", async () => {
    await using t = await connected();
    expect(await failureOf(t.client.run(["git", "status"]))).toMatchObject({
      code: "ERR_SERVER",
      kind: "unsupported",
      message: expect.stringContaining('server.onCommand(["git","status"], { stdout: "…" })'),
    });
  });
});

describe("TestProcess", () => {
  it("runs until the test ends it, and sends its events in sequence", async () => {
    await using t = await connected();
    t.server.onCommand(["server"]);
    const process = await t.client.start(["server"]);
    const played = await t.server.process();
    expect(played.processId).toBe(process.processId);
    played.stdout("one");
    played.stderr("two");
    played.stdout("three");
    expect(played.isRunning).toBe(true);
    played.exit(7);
    played.exit(8);
    expect(played.isRunning).toBe(false);
    expect(await played.ended).toBe(7);
    expect((await readAll(process)).pieces).toEqual(["stdout:one", "stderr:two", "stdout:three"]);
    expect(await process.closed).toEqual({ exitCode: 7, sandboxDenied: false });
  });

  it("can keep its output open after its exit, as a grandchild process does", async () => {
    await using t = await connected();
    t.server.onCommand(["daemonize"]);
    const process = await t.client.start(["daemonize"]);
    const played = await t.server.process();
    played.exit(0, { keepsOutput: true, sandboxDenied: true });
    expect(await process.exited).toEqual({ exitCode: 0, sandboxDenied: true });
    played.stdout("from the grandchild");
    played.closeOutput();
    expect((await readAll(process)).pieces).toEqual(["stdout:from the grandchild"]);
  });

  it("reads what the app writes as whole characters, until it exits", async () => {
    await using t = await connected();
    t.server.onCommand(["cat"], async (process) => {
      for await (const text of process.stdin) process.stdout(`<${text}>`);
      process.stderr("over");
    });
    const process = await t.client.start(["cat"], { stdin: "pipe" });
    const euro = new TextEncoder().encode("€");
    await process.write("a");
    await process.write(euro.subarray(0, 1));
    await process.write(euro.subarray(1));
    (await t.server.process()).exit();
    expect((await readAll(process)).pieces.join("")).toContain("stdout:<a>stdout:<>stdout:<€>");
    expect(await failureOf(process.write("late"))).toMatchObject({ code: "ERR_STDIN_CLOSED" });
  });

  it("rejects writes without a pipe and requests for an unknown process as the real server does", async () => {
    await using t = await connected();
    t.server.onCommand(["cat"]);
    await t.client.start(["cat"], { processId: "p" });
    const write = (processId: string) =>
      t.client.call("process/write", { processId, chunk: "", writeId: "w" });
    expect(await write("p")).toEqual({ status: "stdinClosed" });
    expect(await write("unknown")).toEqual({ status: "unknownProcess" });
    expect(await t.client.call("process/terminate", { processId: "unknown" })).toEqual({ running: false });
    expect(await t.client.call("process/signal", { processId: "unknown", signal: "interrupt" })).toEqual({});
  });

  it("keeps its id reserved until 30 s after its end, as the real server does", async () => {
    await using t = await connected();
    t.server.onCommand(["cat"]);
    const start = () =>
      t.client.call("process/start", (t.server.requests("process/start")[0] as never)["params"]);
    await t.client.start(["cat"], { processId: "p" });
    expect(await failureOf(start())).toMatchObject({ kind: "already-exists", rpcCode: -32600 });
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      (await t.server.process()).exit();
      vi.setSystemTime(Date.now() + 29_000);
      expect(await failureOf(start())).toMatchObject({ kind: "already-exists", rpcCode: -32600 });
      vi.setSystemTime(Date.now() + 1_000);
      await start();
    } finally {
      vi.useRealTimers();
    }
  });

  it("exits when the app terminates or interrupts it", async () => {
    await using t = await connected();
    t.server.onCommand(["sleep"]);
    const [one, two] = [await t.client.start(["sleep"]), await t.client.start(["sleep"])];
    expect(await one.terminate()).toEqual({ running: true });
    expect(await (await t.server.process(1)).ended).toBe(137);
    expect(await one.closed).toMatchObject({ exitCode: 137 });
    await two.interrupt();
    expect(await two.closed).toMatchObject({ exitCode: 130 });
    expect(await (await t.server.process(2)).ended).toBe(130);
  });

  it("exits with the same code as a process of the real server", async () => {
    await using t = await connected();
    await using real = await realClient();
    t.server.onCommand(["sleep", "60"]);
    for (const end of ["terminate", "interrupt"] as const) {
      const exits = await Promise.all(
        [real.client, t.client].map(async (client) => {
          const process = await client.start(["sleep", "60"]);
          await process[end]();
          return await process.closed;
        }),
      );
      expect(exits[1]).toEqual(exits[0]);
    }
  });
});

describe("TestProcess in a terminal", () => {
  it("has the app's arguments and the latest size, and sends all output as the terminal's", async () => {
    await using t = await connected();
    t.server.onCommand(["bash", "-l"], (shell) => shell.stdout("$ "));
    const process = await t.client.start(["bash", "-l"], { tty: { rows: 30, cols: 99 } });
    const shell = await t.server.process();
    expect([shell.argv, shell.terminalSize]).toEqual([["bash", "-l"], { rows: 30, cols: 99 }]);
    await process.resize({ rows: 11, cols: 22 });
    expect(shell.terminalSize).toEqual({ rows: 11, cols: 22 });
    shell.stderr("exit");
    shell.exit();
    expect((await readAll(process)).pieces).toEqual(["pty:$ ", "pty:exit"]);
  });

  it("reads the input, and an interrupt as the character of Ctrl-C", async () => {
    await using t = await connected();
    t.server.onCommand(["bash"]);
    const process = await t.client.start(["bash"], { tty: true });
    const shell = await t.server.process();
    await process.write("ls\r");
    await process.interrupt();
    shell.exit();
    const typed: string[] = [];
    for await (const text of shell.stdin) typed.push(text);
    expect(typed).toEqual(["ls\r", "\x03"]);
  });

  it("has a size independent of other terminals", async () => {
    await using t = await connected();
    t.server.onCommand(["bash"]);
    const [one, two] = [
      await t.client.start(["bash"], { tty: true }),
      await t.client.start(["bash"], { tty: true }),
    ];
    await two.resize({ rows: 5, cols: 50 });
    await one.resize({ rows: 4, cols: 40 });
    expect((await t.server.process(1)).terminalSize).toEqual({ rows: 4, cols: 40 });
    expect((await t.server.process(2)).terminalSize).toEqual({ rows: 5, cols: 50 });
  });
});
