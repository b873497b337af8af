import { realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, test, vi } from "vitest";
import { ConnectError, ExecServerClient } from "../../src/index.ts";
import { type StdioOptions, stdio } from "../../src/node.ts";
import { Children } from "../support/children.ts";
import { ControlServer, fixture, report } from "../support/control-server.ts";
import { codexBinary } from "../support/exec-server.ts";
import { failureOf } from "../support/failure.ts";
import { expectNoneShown } from "../support/leaks.ts";

const node = process.execPath;
const secrets = ["hunter2", "hunter3"];

function connect(options: StdioOptions, limits = {}): Promise<ExecServerClient> {
  return ExecServerClient.connect({ transport: stdio(options), ...limits });
}

describe("the start of a child", () => {
  test.each([undefined, {}, { command: "" }, { command: 42 }])("throws without a command (%j)", (options) => {
    expect(() => stdio(options as never)).toThrowError(
      expect.objectContaining({ name: "UsageError", code: "ERR_INVALID_ARGUMENT" }),
    );
  });

  test("passes arguments, directory and environment to the child, and quotes none of them in its error", async () => {
    await using control = await ControlServer.start();
    vi.stubEnv("INHERITED", "yes");
    vi.stubEnv("REMOVED", "yes");
    const connecting = connect({
      command: node,
      args: [fixture("reports-start"), control.port, "--token", "hunter2", ""],
      cwd: tmpdir(),
      env: { TOKEN: "hunter3", REMOVED: undefined },
    });
    const error = await failureOf(connecting);
    const { args, cwd, env } = JSON.parse(await report(await control.program()));
    vi.unstubAllEnvs();
    expect(args).toEqual(["--token", "hunter2", ""]);
    expect(cwd).toBe(realpathSync(tmpdir()));
    expect(env).toMatchObject({ TOKEN: "hunter3", INHERITED: "yes" });
    expect(env).not.toHaveProperty("REMOVED");
    expect(error).toBeInstanceOf(ConnectError);
    expectNoneShown(error, secrets);
  });

  test.each([
    ["program", { command: "no-such-program-anywhere" }],
    ["working directory", { command: node, cwd: "/no/such/directory" }],
  ])("fails for a missing %s, without quoting arguments or environment", async (_, options) => {
    const error = await failureOf(connect({ ...options, args: ["hunter2"], env: { TOKEN: "hunter3" } }));
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({ phase: "dial", delivery: "not-sent", cause: { code: "ENOENT" } });
    expectNoneShown(error, secrets);
  });

  test("fails for a file that is not executable", async () => {
    const error = await failureOf(connect({ command: fixture("reports-start") }));
    expect(error).toMatchObject({ code: "ERR_CONNECT", phase: "dial", cause: { code: "EACCES" } });
  });

  test.each([
    ["an argument", { args: ["hunter2\0"] }],
    ["a variable", { env: { TOKEN: "hunter2\0" } }],
    ["the directory", { cwd: "/hunter2\0" }],
  ])("rejects a NUL character in %s, without quoting it", async (_, options) => {
    const error = await failureOf(connect({ command: node, ...options }));
    expect(error).toMatchObject({ name: "UsageError", code: "ERR_INVALID_ARGUMENT" });
    expectNoneShown(error, secrets);
  });

  test("fails when the child exits, before the deadline of the handshake", async () => {
    const start = performance.now();
    const error = await failureOf(
      connect({ command: node, args: [fixture("exits-with-code-3"), "hunter2"] }),
    );
    expect(performance.now() - start).toBeLessThan(5_000);
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({ phase: "initialize", delivery: "not-sent" });
    expect((error as ConnectError).message).toContain("code 3");
    expectNoneShown(error, secrets);
  });

  test("fails for a child whose first line is no message, and stops the child", async () => {
    await using control = await ControlServer.start();
    using children = new Children();
    const error = await failureOf(connect({ command: node, args: [fixture("prints-banner"), control.port] }));
    expect(error).toMatchObject({
      code: "ERR_PROTOCOL",
      message: "The server sent a frame that is not JSON",
    });
    await children.gone();
  });

  test("says what a server that was not asked to use its pipes needs", async () => {
    const hint = 'are "--listen", "stdio" among its args?';
    await expect(
      connect({ command: codexBinary(), args: ["exec-server", "--listen", "ws://127.0.0.1:0"] }),
    ).rejects.toThrow(`The child listens on a WebSocket: ${hint}`);
    await expect(connect({ command: codexBinary() })).rejects.toThrow(`code 1 before it answered: ${hint}`);
  });

  test("times out on a child that never answers, and stops the child", async () => {
    await using control = await ControlServer.start();
    using children = new Children();
    const options = { command: node, args: [fixture("ignores-sigterm"), control.port] };
    const error = await failureOf(connect(options, { initializeTimeoutMs: 200 }));
    expect(error).toMatchObject({ code: "ERR_INITIALIZE_TIMEOUT" });
    await children.gone();
  });
});
