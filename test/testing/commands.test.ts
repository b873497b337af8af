import { describe, expect, it } from "vitest";
import { ExecServerClient } from "../../src/index.ts";
import { TestServer } from "../../src/testing.ts";
import { failureOf } from "../support/failure.ts";
import { readAll } from "../support/read.ts";
import { realClient } from "../support/real-client.ts";

async function connected() {
  const server = new TestServer();
  const client = await ExecServerClient.connect({ transport: server.transport });
  return {
    server,
    client,
    async [Symbol.asyncDispose]() {
      await client.close();
      server.close();
    },
  };
}

describe("onCommand()", () => {
  it("says what a command prints and how it exits", async () => {
    await using it = await connected();
    it.server.onCommand(["git", "status"], { stdout: "clean\n" });
    it.server.onCommand(["git", "push"], { stdout: Uint8Array.of(0x6f), stderr: "rejected\n", exitCode: 1 });
    expect(await it.client.run(["git", "status"])).toEqual({
      exitCode: 0,
      stdout: "clean\n",
      stderr: "",
      sandboxDenied: false,
    });
    expect(await failureOf(it.client.run(["git", "push"]))).toMatchObject({
      code: "ERR_PROCESS_EXIT",
      exitCode: 1,
      stdout: "o",
      stderr: "rejected\n",
    });
  });

  it("takes a function of the arguments, and the latest that matches counts", async () => {
    await using it = await connected();
    it.server.onCommand(([program]) => program === "git", { stdout: "any git" });
    const restore = it.server.onCommand(["git", "log"], { stdout: "the log" });
    expect((await it.client.run(["git", "log"])).stdout).toBe("the log");
    expect((await it.client.run(["git", "diff"])).stdout).toBe("any git");
    restore();
    restore();
    expect((await it.client.run(["git", "log"])).stdout).toBe("any git");
  });

  it("plays a script, which sees what was asked for", async () => {
    await using it = await connected();
    it.server.onCommand(["make", "all"], async (process) => {
      process.stdout(`${process.argv.join(" ")} in ${process.cwd} for ${process.params.env["CI"]}\n`);
      await undefined;
      process.stderr("no rule\n");
      process.exit(2);
    });
    const make = it.client.run(["make", "all"], { cwd: "/src/a b", env: { CI: "1" }, reject: false });
    expect(await make).toMatchObject({
      exitCode: 2,
      stdout: "make all in /src/a b for 1\n",
      stderr: "no rule\n",
    });
  });

  it("plays it only when the start was answered", async () => {
    await using it = await connected();
    it.server.onCommand(["date"], { stdout: "today" });
    const release = (await it.server.connection()).holdFrames();
    const date = it.client.run(["date"]);
    await (await it.server.process()).ended;
    release((frames) => {
      const methods = frames.map((frame) => JSON.parse(String(frame)).method);
      expect(methods).toEqual([undefined, "process/output", "process/exited", "process/closed"]);
      return frames;
    });
    await date;
  });

  it("tells an app's test when its script fails", async () => {
    await using it = await connected();
    it.server.onCommand(["make"], () => JSON.parse("{"));
    expect(await failureOf(it.client.run(["make"]))).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('the test\'s script of ["make"] failed: SyntaxError'),
    });
  });

  it("has a command that nobody knows refused, with what to do about it", async () => {
    await using it = await connected();
    expect(await failureOf(it.client.run(["git", "status"]))).toMatchObject({
      code: "ERR_SERVER",
      kind: "unsupported",
      message: expect.stringContaining('server.onCommand(["git","status"], { stdout: "…" })'),
    });
  });
});

describe("a process in the hands of a test", () => {
  it("goes on until the test ends it, its events in sequence", async () => {
    await using it = await connected();
    it.server.onCommand(["server"]);
    const process = await it.client.start(["server"]);
    const played = await it.server.process();
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

  it("may leave its output open, as a child of its own would", async () => {
    await using it = await connected();
    it.server.onCommand(["daemonize"]);
    const process = await it.client.start(["daemonize"]);
    const played = await it.server.process();
    played.exit(0, { keepsOutput: true, sandboxDenied: true });
    expect(await process.exited).toEqual({ exitCode: 0, sandboxDenied: true });
    played.stdout("from the grandchild");
    played.closeOutput();
    expect((await readAll(process)).pieces).toEqual(["stdout:from the grandchild"]);
  });

  it("reads what the app writes, characters whole, until it exits", async () => {
    await using it = await connected();
    it.server.onCommand(["cat"], async (process) => {
      for await (const text of process.stdin) process.stdout(`<${text}>`);
      process.stderr("over");
    });
    const process = await it.client.start(["cat"], { stdin: "pipe" });
    const euro = new TextEncoder().encode("€");
    await process.write("a");
    await process.write(euro.subarray(0, 1));
    await process.write(euro.subarray(1));
    (await it.server.process()).exit();
    expect((await readAll(process)).pieces.join("")).toContain("stdout:<a>stdout:<>stdout:<€>");
    expect(await failureOf(process.write("late"))).toMatchObject({ code: "ERR_STDIN_CLOSED" });
  });

  it("answers writes as a real server does: none without a pipe, none to a stranger", async () => {
    await using it = await connected();
    it.server.onCommand(["cat"]);
    await it.client.start(["cat"], { processId: "p" });
    const write = (processId: string) =>
      it.client.call("process/write", { processId, chunk: "", writeId: "w" });
    expect(await write("p")).toEqual({ status: "stdinClosed" });
    expect(await write("stranger")).toEqual({ status: "unknownProcess" });
    expect(await it.client.call("process/terminate", { processId: "stranger" })).toEqual({ running: false });
    expect(await it.client.call("process/signal", { processId: "stranger", signal: "interrupt" })).toEqual(
      {},
    );
  });

  it("has an id of its own while it runs", async () => {
    await using it = await connected();
    it.server.onCommand(["cat"]);
    const start = () =>
      it.client.call("process/start", (it.server.requests("process/start")[0] as never)["params"]);
    await it.client.start(["cat"], { processId: "p" });
    expect(await failureOf(start())).toMatchObject({ kind: "already-exists", rpcCode: -32600 });
    (await it.server.process()).exit();
    await start();
  });

  it("ends when the app terminates or interrupts it", async () => {
    await using it = await connected();
    it.server.onCommand(["sleep"]);
    const [one, two] = [await it.client.start(["sleep"]), await it.client.start(["sleep"])];
    expect(await one.terminate()).toEqual({ running: true });
    expect(await (await it.server.process(1)).ended).toBe(137);
    expect(await one.closed).toMatchObject({ exitCode: 137 });
    await two.interrupt();
    expect(await two.closed).toMatchObject({ exitCode: 130 });
    expect(await (await it.server.process(2)).ended).toBe(130);
  });

  it("ends as one of the real server does", async () => {
    await using it = await connected();
    await using real = await realClient();
    it.server.onCommand(["sleep", "60"]);
    for (const end of ["terminate", "interrupt"] as const) {
      const exits = await Promise.all(
        [real.client, it.client].map(async (client) => {
          const process = await client.start(["sleep", "60"]);
          await process[end]();
          return await process.closed;
        }),
      );
      expect(exits[1]).toEqual(exits[0]);
    }
  });
});

describe("a process in a terminal", () => {
  it("is the app's own, its size known and changed; all output is the terminal's", async () => {
    await using it = await connected();
    it.server.onCommand(["bash", "-l"], (shell) => shell.stdout("$ "));
    const process = await it.client.start(["bash", "-l"], { tty: { rows: 30, cols: 99 } });
    const shell = await it.server.process();
    expect([shell.argv, shell.terminalSize]).toEqual([["bash", "-l"], { rows: 30, cols: 99 }]);
    await process.resize({ rows: 11, cols: 22 });
    expect(shell.terminalSize).toEqual({ rows: 11, cols: 22 });
    shell.stderr("bye");
    shell.exit();
    expect((await readAll(process)).pieces).toEqual(["pty:$ ", "pty:bye"]);
  });

  it("reads what is typed, an interrupt as the terminal does", async () => {
    await using it = await connected();
    it.server.onCommand(["bash"]);
    const process = await it.client.start(["bash"], { tty: true });
    const shell = await it.server.process();
    await process.write("ls\r");
    await process.interrupt();
    shell.exit();
    const typed: string[] = [];
    for await (const text of shell.stdin) typed.push(text);
    expect(typed).toEqual(["ls\r", "\x03"]);
  });

  it("has its own size apart from others", async () => {
    await using it = await connected();
    it.server.onCommand(["bash"]);
    const [one, two] = [
      await it.client.start(["bash"], { tty: true }),
      await it.client.start(["bash"], { tty: true }),
    ];
    await two.resize({ rows: 5, cols: 50 });
    await one.resize({ rows: 4, cols: 40 });
    expect((await it.server.process(1)).terminalSize).toEqual({ rows: 4, cols: 40 });
    expect((await it.server.process(2)).terminalSize).toEqual({ rows: 5, cols: 50 });
  });
});
