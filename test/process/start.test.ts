import { getEventListeners } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { LazyExecServerClient, ServerError } from "../../src/index.ts";
import { TestServer } from "../../src/testing.ts";
import { OWN_ERRORS } from "../support/errors.ts";
import { failureOf } from "../support/failure.ts";
import { realClient } from "../support/real-client.ts";
import { scriptedProcess, startsProcesses } from "../support/scripted-process.ts";
import { QuietServer, ready } from "../support/scripted-server.ts";

let real: Awaited<ReturnType<typeof realClient>>;
beforeAll(async () => {
  real = await realClient({ env: { MY_API_KEY: "hush", PLAIN: "seen" } });
});
afterAll(() => real[Symbol.asyncDispose]());

describe("start() on a real server", () => {
  it("runs in the server's working directory by default", async () => {
    expect((await real.client.run(["pwd"])).stdout).toBe(`${process.cwd()}\n`);
  });

  it("accepts a directory as a native path or as a file: URL, with any character", async () => {
    const directory = mkdtempSync(join(tmpdir(), "a b#%?ü-"));
    try {
      for (const cwd of [directory, pathToFileURL(directory), pathToFileURL(directory).href]) {
        expect((await real.client.run(["pwd", "-P"], { cwd })).stdout).toBe(`${directory}\n`);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("adds env to the server's environment, without variables that look like secrets", async () => {
    const { stdout } = await real.client.run(["sh", "-c", 'echo "$PLAIN,$MY_API_KEY,$MINE,$UNSET"'], {
      env: { MINE: "own", UNSET: undefined },
    });
    expect(stdout).toBe("seen,,own,\n");
  });

  it("passes on variables that look like secrets only with ignoreDefaultExcludes", async () => {
    const { stdout } = await real.client.run(["sh", "-c", 'echo "$MY_API_KEY"'], {
      envPolicy: { ignoreDefaultExcludes: true },
    });
    expect(stdout).toBe("hush\n");
  });

  it("makes env the exact environment with a null policy, including __proto__", async () => {
    const env = JSON.parse('{ "A": "1", "__proto__": "p", "constructor": "c" }') as Record<string, string>;
    const { stdout } = await real.client.run(["/usr/bin/env"], { env, envPolicy: null });
    expect(stdout.split("\n").filter(Boolean).sort()).toEqual(["A=1", "__proto__=p", "constructor=c"]);
  });

  it("runs the program under the name arg0", async () => {
    expect(
      (await real.client.run(["bash", "-c", "cat /proc/$$/cmdline | cut -d '' -f1"], { arg0: "posh" }))
        .stdout,
    ).toContain("posh");
  });

  it.each([
    ["program not found", "program", ["no-such-program", "x"], {}],
    ["program not found. argv[0] contains a space", "program", ["ls -la"], {}],
    ["program not found. cd is a builtin of shells: use the option cwd", "program", ["cd", "/"], {}],
    ["program not found. export is a builtin", "program", ["export"], {}],
    ["program not found. Pass variables in the option env", "program", ["A=1", "true"], {}],
    ["program not found. Only shells replace ~", "program", ["~/bin/x"], {}],
    ["the working directory '/no/such' does not exist", "cwd", ["true"], { cwd: "/no/such" }],
    ["the working directory '/no/such' does not exist", "cwd", ["no-such-program"], { cwd: "/no/such" }],
  ] as const)("rejects with '%s', in a terminal too", async (problem, missing, argv, options) => {
    for (const tty of [false, true]) {
      const error = await failureOf(real.client.start(argv, { ...options, tty }));
      const program = argv[0].split(" ")[0]?.replace("A=1", "A=…");
      expect(error).toMatchObject({
        code: "ERR_SERVER",
        kind: "not-found",
        missing,
        delivery: "answered",
        operation: "start",
        program,
        ...options,
      });
      expect((error as Error).message).toContain(`start '${program}': ${problem}`);
    }
  });

  it.each([
    ["a file as directory", ["true"], { cwd: "/etc/passwd" }, "not-a-directory"],
    ["a path through a file", ["/etc/passwd/x"], {}, "not-a-directory"],
    ["a file that is not executable", ["/etc/passwd"], {}, "permission-denied"],
    ["a directory", ["/etc"], {}, "permission-denied"],
    ["a name that is too long", ["n".repeat(300)], {}, undefined],
  ])("rejects in a terminal as without one for %s", async (_, argv, options, kind) => {
    const [without, within] = await Promise.all([
      failureOf(real.client.start(argv, options)),
      failureOf(real.client.start(argv, { ...options, tty: true })),
    ]);
    expect(without).toMatchObject({ code: "ERR_SERVER", rpcCode: -32603 });
    expect((without as ServerError).kind).toBe(kind);
    // Server 0.171 adds data of its own to some of these errors.
    expect({ ...(within as object), data: undefined }).toEqual({ ...(without as object), data: undefined });
    expect((within as Error).message).toBe((without as Error).message);
  });

  it("does not blame the program if the shell of a terminal is missing", async () => {
    await using scripted = await scriptedProcess();
    scripted.server.handle("process/start", () => {
      throw new ServerError("No such file or directory (os error 2)", { rpcCode: -32603 });
    });
    const error = await failureOf(scripted.client.start(["x"], { tty: true }));
    expect(error).toMatchObject({ code: "ERR_SERVER", kind: "not-found" });
    expect(error).not.toHaveProperty("missing");
  });

  it("rejects within two seconds if the server does not say whether the directory exists", async () => {
    await using scripted = await scriptedProcess();
    scripted.server.handle("process/start", () => {
      throw new ServerError("No such file or directory (os error 2)", { rpcCode: -32603 });
    });
    const error = await failureOf(scripted.client.start(["x"], { cwd: "/w" }));
    expect(error).toMatchObject({ kind: "not-found", program: "x", cwd: "/w" });
    expect(error).not.toHaveProperty("missing");
  });

  it("rejects with kind permission-denied for a file that is not executable", async () => {
    expect(await failureOf(real.client.start(["/etc/passwd"]))).toMatchObject({ kind: "permission-denied" });
  });

  it("refuses an id in use, on the client and on the server, and frees the id after a failed start", async () => {
    await using _first = await real.client.start(["sleep", "60"], { processId: "mine" });
    expect(await failureOf(real.client.start(["true"], { processId: "mine" }))).toMatchObject({
      code: "ERR_INVALID_ARGUMENT",
    });
    const taken = await real.client.start(["true"], { processId: "short" });
    await taken.closed;
    expect(await failureOf(real.client.start(["true"], { processId: "short" }))).toMatchObject({
      code: "ERR_SERVER",
      kind: "already-exists",
    });
    await failureOf(real.client.start(["no-such-program"], { processId: "free" }));
    await (await real.client.start(["true"], { processId: "free" })).closed;
  });

  it.each([
    ["an empty argv", [], {}],
    ["an argv that is a string", "ls", {}],
    ["an argv with a number", ["ls", 1], {}],
    ["an empty program", ["", "x"], {}],
    ["stdin: inherit", ["ls"], { stdin: "inherit" }],
    ["an unknown option", ["ls"], { currentDirectory: "/" }],
    ["an unknown policy of overflow", ["ls"], { overflow: "drop" }],
    ["a budget that is not a number", ["ls"], { maxBufferedBytes: Number.NaN }],
    ["a signal that is none", ["ls"], { signal: {} }],
    ["an environment that is a list", ["ls"], { env: ["A=1"] }],
    ["an unknown member of envPolicy", ["ls"], { envPolicy: { keep: ["A"] } }],
    ["an envPolicy.set that is not text", ["ls"], { envPolicy: { set: { A: 1 } } }],
    ["a terminal without columns", ["ls"], { tty: { rows: 24 } }],
    ["a terminal that is a string", ["ls"], { tty: "80x24" }],
    ["a relative cwd", ["ls"], { cwd: "src" }],
    ["a cwd that is a web URL", ["ls"], { cwd: new URL("http://localhost/") }],
    ["an env value that is not a string", ["ls"], { env: { A: 1 } }],
    ["a negative budget", ["ls"], { maxBufferedBytes: -1 }],
    ["a terminal without rows", ["ls"], { tty: { rows: 0, cols: 80 } }],
  ])("refuses %s before anything is sent", async (_, argv, options) => {
    expect(await failureOf(real.client.start(argv as never, options as never))).toMatchObject({
      code: "ERR_INVALID_ARGUMENT",
    });
  });
});

describe("the options of start()", () => {
  const neverConnects = () =>
    new LazyExecServerClient({
      transport: { reconnectable: true, connect: () => Promise.reject(new Error("must not connect")) },
    });

  it.each([
    "timeout",
    "timeoutMs",
    "input",
    "shell",
    "stdio",
    "stdout",
    "stderr",
    "maxBuffer",
    "killSignal",
    "detached",
    "uid",
    "gid",
    "windowsHide",
    "argv0",
    "encoding",
  ])("refuse %s of Node and execa before connecting, and say what to do instead", async (name) => {
    const error = await failureOf(neverConnects().start(["ls"], { [name]: "x" } as never));
    expect(error).toMatchObject({ code: "ERR_UNSUPPORTED", operation: "start", program: "ls" });
    expect((error as Error).message).toMatch(new RegExp(`option ${name}: .{8}`));
  });

  it("are checked before connecting", async () => {
    const client = neverConnects();
    const texts = ["hu\0sh", "hu\ud800sh"];
    for (const [argv, options] of [
      ["ls -la", {}],
      [["ls"], { cwd: "relative" }],
      [["ls"], { env: { A: 1 } }],
      [["ls"], { tty: { rows: 0, cols: 1 } }],
      // What the system can't pass on, or JSON can't say.
      ...texts.flatMap((text) => [
        [[text], {}],
        [["ls", text], {}],
        [["ls"], { cwd: `/${text}` }],
        [["ls"], { env: { A: text } }],
        [["ls"], { env: { [text]: "1" } }],
        [["ls"], { envPolicy: { set: { A: text } } }],
        [["ls"], { arg0: text }],
      ]),
    ]) {
      const error = await failureOf(client.start(argv as never, options as never));
      expect(error).toMatchObject({ code: "ERR_INVALID_ARGUMENT", operation: "start" });
    }
    expect(client.state).toBe("idle");
  });

  it("never show a value of the environment", async () => {
    for (const value of [["hush"], "hush\0", "hush\ud800"]) {
      for (const options of [{ env: { TOKEN: value } }, { envPolicy: { set: { TOKEN: value } } }]) {
        const error = await failureOf(neverConnects().start(["ls"], options as never));
        expect(`${(error as Error).stack}${JSON.stringify(error)}`).not.toContain("hush");
      }
    }
  });

  it("show the form of argv when it is a string", async () => {
    const error = await failureOf(neverConnects().start("ls -la" as never));
    expect((error as Error).message).toContain('such as ["ls", "-la"], got a string');
  });

  it("may be undefined, each of them", async () => {
    await using scripted = await scriptedProcess();
    const names = ["cwd", "env", "envPolicy", "stdin", "tty", "arg0", "sandbox", "processId", "signal"];
    const given = [...names, "maxBufferedBytes", "overflow", "timeout"].map((name) => [name, undefined]);
    await scripted.client.start(["program"], Object.fromEntries(given));
    const [first, second] = scripted.server.requests("process/start");
    expect(second?.params).toEqual({ ...first?.params, processId: expect.any(String) });
  });
});

describe("start() on the wire", () => {
  it("sends every member, with null for missing options", async () => {
    await using scripted = await scriptedProcess();
    expect((await scripted.connection.request("process/start")).params).toEqual({
      processId: "p",
      argv: ["program"],
      cwd: "file:///work",
      envPolicy: { inherit: "all", ignoreDefaultExcludes: false, exclude: [], set: {}, includeOnly: [] },
      env: {},
      tty: false,
      pipeStdin: false,
      arg0: null,
      sandbox: null,
    });
  });

  it("sends a Windows directory and a sandbox", async () => {
    const sandbox = { permissions: { type: "disabled" } as const, workspaceRoots: [] };
    await using scripted = await scriptedProcess({ cwd: "C:\\Users\\me", sandbox });
    expect((await scripted.connection.request("process/start")).params).toMatchObject({
      cwd: "file:///C:/Users/me",
      sandbox,
    });
  });

  it("requires cwd if an old server does not report its directory", async () => {
    const server = startsProcesses(new TestServer({ version: "0.142.0" }));
    await using scripted = await scriptedProcess({ cwd: "/" }, server);
    expect(await failureOf(scripted.client.start(["ls"]))).toMatchObject({
      code: "ERR_UNSUPPORTED",
      feature: "defaultCwd",
    });
  });
});

describe("aborting a start", () => {
  it("sends nothing if the signal is already aborted", async () => {
    await using scripted = await scriptedProcess();
    expect(await failureOf(scripted.client.start(["program"], { signal: AbortSignal.abort("no") }))).toBe(
      "no",
    );
    expect(scripted.server.requests("process/start")).toHaveLength(1);
  });

  it.each([
    ["", { processId: "q" }],
    [", even if it is malformed", { pid: 1 }],
  ])("terminates the process if the response comes after the abort%s", async (_, answer) => {
    await using scripted = await scriptedProcess();
    scripted.server.hold("process/start");
    const controller = new AbortController();
    const starting = failureOf(
      scripted.client.start(["program"], { processId: "q", signal: controller.signal }),
    );
    const request = await scripted.connection.request("process/start", 2);
    controller.abort("no");
    expect(await starting).toBe("no");
    scripted.connection.answer(request, answer as never);
    expect((await scripted.connection.request("process/terminate")).params).toEqual({ processId: "q" });
  });

  it("is not needed for a malformed response: the process is terminated", async () => {
    await using scripted = await scriptedProcess();
    scripted.server.handle("process/start", () => ({ pid: 1 }) as never);
    expect(await failureOf(scripted.client.start(["program"], { processId: "q" }))).toMatchObject({
      code: "ERR_PROTOCOL",
    });
    expect((await scripted.connection.request("process/terminate")).params).toEqual({ processId: "q" });
  });

  it("terminates nothing if the server rejects the start after the abort", async () => {
    await using scripted = await scriptedProcess(undefined, ready(startsProcesses(new QuietServer())));
    scripted.server.hold("process/start");
    const controller = new AbortController();
    const starting = failureOf(
      scripted.client.start(["program"], { processId: "q", signal: controller.signal }),
    );
    const { id } = await scripted.connection.request("process/start", 2);
    controller.abort("no");
    expect(await starting).toBe("no");
    scripted.connection.send({ id, error: { code: -32603, message: "no such program" } });
    await scripted.client.status();
    await scripted.client.status();
    expect(scripted.server.requests("process/terminate")).toEqual([]);
  });

  it("sends nothing if the request is still queued", async () => {
    await using scripted = await scriptedProcess(undefined, ready(startsProcesses(new QuietServer())));
    const release = scripted.server.hold("environment/status");
    const others = Array.from({ length: 128 }, () => scripted.client.status());
    const controller = new AbortController();
    const starting = failureOf(
      scripted.client.start(["program"], { processId: "q", signal: controller.signal }),
    );
    const reason = OWN_ERRORS.ProtocolError;
    controller.abort(reason);
    expect(await starting).toBe(reason);
    release();
    await Promise.all(others);
    await scripted.client.status();
    expect(scripted.server.requests("process/start")).toHaveLength(1);
    expect(scripted.server.requests("process/terminate")).toEqual([]);
  });

  it.each(Object.entries(OWN_ERRORS))(
    "terminates a process in a terminal and rejects with the reason, even a %s of another client",
    async (_, reason) => {
      await using scripted = await scriptedProcess();
      const controller = new AbortController();
      const options = { processId: "q", tty: true, signal: controller.signal };
      const starting = failureOf(scripted.client.start(["program"], options));
      await scripted.connection.request("process/start", 2);
      // The response has arrived, the first line of the terminal has not.
      await new Promise(setImmediate);
      controller.abort(reason);
      expect(await starting).toBe(reason);
      expect((await scripted.connection.request("process/terminate")).params).toEqual({ processId: "q" });
    },
  );

  it.each([{}, { tty: true }])("terminates a process that is already started with %o", async (options) => {
    const controller = new AbortController();
    const sleep = await real.client.start(["sleep", "60"], { ...options, signal: controller.signal });
    controller.abort();
    expect((await sleep.exited).exitCode).not.toBe(0);
    await sleep.closed;
  });

  it("sends one request if terminate() is called as well", async () => {
    await using scripted = await scriptedProcess();
    const controller = new AbortController();
    const options = { processId: "q", signal: controller.signal };
    const process = await scripted.client.start(["program"], options);
    controller.abort();
    const terminated = [process.terminate(), process.terminate()];
    scripted.connection.answer(await scripted.connection.request("process/terminate"), { running: true });
    expect(await Promise.all(terminated)).toEqual([{ running: true }, { running: true }]);
    expect(scripted.server.requests("process/terminate")).toHaveLength(1);
  });

  it("no longer listens to the signal after the exit, or after the end of the connection", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    await using scripted = await scriptedProcess({ signal });
    scripted.exited(1);
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    await scripted.process.exited;
    await vi.waitFor(() => expect(getEventListeners(signal, "abort")).toEqual([]));
    const other = await scripted.client.start(["program"], { processId: "q", signal });
    scripted.connection.drop();
    await failureOf(other.exited);
    await vi.waitFor(() => expect(getEventListeners(signal, "abort")).toEqual([]));
    controller.abort();
    expect(scripted.server.requests("process/terminate")).toEqual([]);
  });
});
