import { describe, expect, it } from "vitest";
import { type TestProcess, TestServer } from "../../src/testing.ts";
import { failureOf } from "../support/failure.ts";
import { connectedTo } from "../support/scripted-server.ts";

const connected = () => connectedTo(new TestServer());

/** Everything that the app writes. */
async function inputOf(process: TestProcess): Promise<string> {
  let input = "";
  for await (const text of process.stdin) input += text;
  return input;
}

describe("a process of the test server", () => {
  it("sees the end of the input, by stdin.close() and by run({ input })", async () => {
    await using t = await connected();
    t.server.onCommand(["wc"], async (process) => {
      process.stdout(`${(await inputOf(process)).length}\n`);
      process.exit();
    });
    const wc = await t.client.start(["wc"], { stdin: "pipe" });
    await wc.write("hello ");
    const writer = wc.stdin.getWriter();
    await writer.write("world");
    await writer.close();
    expect(await new Response(wc.stdout).text()).toBe("11\n");
    expect(await wc.closed).toMatchObject({ exitCode: 0 });
    expect((await t.client.run(["wc"], { input: "x".repeat(3_000_000) })).stdout).toBe("3000000\n");
    expect((await t.client.run(["wc"], { input: "" })).stdout).toBe("0\n");
  });

  it("has no input if the app has not opened it, as a process of the real server", async () => {
    await using t = await connected();
    t.server.onCommand(["cat"], async (process) => {
      process.stdout(await inputOf(process));
      process.exit();
    });
    for (const options of [{}, { signals: true }])
      expect(await t.client.run(["cat"], options)).toMatchObject({ exitCode: 0, stdout: "" });
  });

  it("has the pid that the app sees, or none", async () => {
    await using t = await connected();
    t.server.onCommand(["serve"], () => {});
    const all = [{ signals: true }, { stdin: "pipe" }, { tty: true }] as const;
    for (const [n, options] of all.entries()) {
      const process = await t.client.start(["serve"], options);
      expect(process.pid).toBe((await t.server.process(n + 1)).pid);
      expect(process.pid).toBeGreaterThan(0);
    }
    const plain = await t.client.start(["serve"]);
    expect([plain.pid, (await t.server.process(4)).pid]).toEqual([undefined, undefined]);
    expect(await failureOf(plain.kill())).toMatchObject({ code: "ERR_UNSUPPORTED" });
  });

  it("passes signals to onSignal(), and ends by SIGKILL nevertheless", async () => {
    await using t = await connected();
    const seen: string[] = [];
    t.server.onCommand(["serve"], (process) => process.onSignal((signal) => seen.push(signal)));
    const process = await t.client.start(["serve"], { signals: true });
    for (const signal of ["SIGUSR1", "SIGTERM", "SIGHUP"]) await process.kill(signal);
    expect(seen).toEqual(["SIGUSR1", "SIGTERM", "SIGHUP"]);
    await process.kill("SIGKILL");
    expect((await process.closed).exitCode).toBe(137);
    expect(seen).toHaveLength(3);
  });

  it("exits by a signal without a listener, if the signal ends a process", async () => {
    await using t = await connected();
    t.server.onCommand(["serve"], () => {});
    const process = await t.client.start(["serve"], { signals: true });
    await process.kill("SIGWINCH");
    await process.kill("SIGCONT");
    expect((await t.server.process()).isRunning).toBe(true);
    await process.kill();
    expect((await process.closed).exitCode).toBe(143);
  });
});
