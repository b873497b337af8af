import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ExecServerClient } from "../../src/index.ts";
import { stdio } from "../../src/node.ts";
import type { Connection } from "../../src/transport/transport.ts";
import { Children } from "../support/children.ts";
import { ControlServer, fixture, gone } from "../support/control-server.ts";
import { failureOf } from "../support/failure.ts";
import { Recorder } from "../support/recorder.ts";

const node = process.execPath;

function connect(program: string, control: ControlServer): Promise<Connection> {
  const transport = stdio({ command: node, args: [fixture(program), control.port] });
  return transport.connect({ signal: new AbortController().signal });
}

describe("close()", () => {
  test("kills a child that ignores the end of its input and SIGTERM, within two seconds", async () => {
    await using control = await ControlServer.start();
    const connection = await connect("ignores-sigterm", control);
    const child = await control.program();
    await once(child, "data");
    const start = performance.now();
    await connection.close();
    expect(performance.now() - start).toBeLessThan(2_000);
    await gone(child);
  });

  test("kills the processes that the child has started", async () => {
    await using control = await ControlServer.start();
    const connection = await connect("starts-grandchild", control);
    const grandchild = await control.program();
    await once(grandchild, "data");
    await connection.close();
    await gone(grandchild);
  });

  test("settles if the child has already exited", async () => {
    await using control = await ControlServer.start();
    const connection = await connect("exits-with-code-3", control);
    await new Recorder(connection).ended;
    await connection.close();
    await connection.close();
  });
});

describe("a connection ends", () => {
  test("when the child is killed, and the processes it has started are killed", async () => {
    await using control = await ControlServer.start();
    using children = new Children();
    const recorder = new Recorder(await connect("starts-grandchild", control));
    const grandchild = await control.program();
    await once(grandchild, "data");
    children.latest.kill("SIGKILL");
    expect((await recorder.ended).reason).toContain("SIGKILL");
    await gone(grandchild);
  });

  test("when the child closes its output, and the child is stopped", async () => {
    await using control = await ControlServer.start();
    const connection = await connect("closes-stdout", control);
    const recorder = new Recorder(connection);
    const child = await control.program();
    expect((await recorder.ended).reason).toContain("closed its output");
    expect(connection.isOpen).toBe(false);
    await gone(child);
  });

  test("when the child closes its input, and pending calls reject", async () => {
    await using control = await ControlServer.start();
    const client = await ExecServerClient.connect({
      transport: stdio({ command: node, args: [fixture("closes-stdin"), control.port] }),
    });
    const child = await control.program();
    const error = await failureOf(client.status());
    expect(error).toMatchObject({ code: "ERR_DISCONNECTED", reason: expect.stringContaining("EPIPE") });
    expect(client.isDisconnected).toBe(true);
    await gone(child);
  });
});

describe("the parent process", () => {
  test("kills its child when it exits", async () => {
    await using control = await ControlServer.start();
    const script = fileURLToPath(new URL("../fixtures/exits-without-close.ts", import.meta.url));
    const parent = spawn(node, ["--import", "tsx", script, fixture("ignores-sigterm"), control.port], {
      stdio: ["pipe", "ignore", "inherit"],
    });
    const child = await control.program();
    await once(child, "data");
    parent.stdin.write("exit");
    const [code] = await once(parent, "exit");
    expect(code).toBe(0);
    await gone(child);
  });

  test("keeps no listener of an ended connection, and emits no warning of a leak", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): unknown => warnings.push(warning);
    process.on("warning", onWarning);
    const before = process.listenerCount("exit");
    const transport = stdio({ command: "cat" });
    const open = await Promise.all(
      Array.from({ length: 20 }, () => transport.connect({ signal: new AbortController().signal })),
    );
    await Promise.all(open.map((connection) => connection.close()));
    await failureOf(
      stdio({ command: "no-such-program-anywhere" }).connect({ signal: new AbortController().signal }),
    );
    expect(process.listenerCount("exit")).toBe(before);
    // Warnings are emitted a turn later.
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
  });
});
