import { runInNewContext } from "node:vm";
import { MessageChannel } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { bridge, ExecServerClient, messagePort, webSocket as rootWebSocket } from "../../src/index.ts";
import { webSocket as nodeWebSocket, stdio } from "../../src/node.ts";
import { failureOf } from "../support/failure.ts";
import { expectNoneShown } from "../support/leaks.ts";
import { RawServer } from "../support/tcp-server.ts";
import { PlainWebSocketServer } from "../support/websocket-server.ts";

const URL_OF_NONE = "ws://127.0.0.1:1";
const open = () => ({ signal: new AbortController().signal });
const untyped = (create: unknown) => create as (...args: unknown[]) => unknown;
const codeOf = (code: string) => expect.objectContaining({ code });
const INVALID = "ERR_INVALID_ARGUMENT";
const UNSUPPORTED = "ERR_UNSUPPORTED";

describe.each([
  ["root", untyped(rootWebSocket)],
  ["node", untyped(nodeWebSocket)],
])("webSocket() of the %s entry", (_, create) => {
  test.each<[string, unknown, string]>([
    ["a misspelled option", { header: {} }, INVALID],
    ["an array", [], INVALID],
    ["text", "exec", INVALID],
    ["null", null, INVALID],
    ["headers that are a list", { headers: [["authorization", "hunter2"]] }, INVALID],
    ["headers that are a Headers object", { headers: new Headers({ authorization: "hunter2" }) }, INVALID],
    ["a header that is a number", { headers: { "x-count": 1 } }, INVALID],
    ["headers that are null", { headers: null }, INVALID],
    ["protocols that are no text", { protocols: [1] }, INVALID],
    ["protocols in a Set", { protocols: new Set(["hunter2"]) }, INVALID],
  ])("refuses %s at once", (_what, options, code) => {
    expect(() => create(URL_OF_NONE, options)).toThrow(codeOf(code));
    expect(() => create(URL_OF_NONE, options)).not.toThrow(/hunter2/);
  });

  test("takes undefined as not given, also for a header", async () => {
    const options = {
      protocols: undefined,
      headers: { "x-none": undefined, "x-one": "1" },
      other: undefined,
    };
    await using server = await PlainWebSocketServer.start();
    const transport = create(server.url, {
      ...options,
      ...(create === rootWebSocket ? { WebSocket: undefined } : {}),
    });
    const native = create === rootWebSocket && "WebSocket" in globalThis;
    await (await (transport as ReturnType<typeof nodeWebSocket>).connect(open())).close();
    if (!native) expect(server.upgrades[0]?.headers).toMatchObject({ "x-one": "1" });
    expect(server.upgrades[0]?.headers).not.toHaveProperty("x-none");
  });

  test.each(["http:", "https:"])("says for an %s URL which scheme to use", (scheme) => {
    const wanted = scheme === "http:" ? "use ws: instead" : "use wss: instead";
    expect(() => create(`${scheme}//user:hunter2@127.0.0.1/?token=hunter2`)).toThrow(wanted);
    expect(() => create(`${scheme}//user:hunter2@127.0.0.1/?token=hunter2`)).not.toThrow(/hunter2/);
  });

  test.each<[string, unknown]>([
    ["a misspelled member", { url: URL_OF_NONE, protocol: "hunter2" }],
    ["protocols that are no text", { url: URL_OF_NONE, protocols: [1] }],
    ["headers that are no text", { url: URL_OF_NONE, headers: { authorization: 1 } }],
    ["no URL", { protocols: [] }],
    ["a number", 8080],
  ])("fails the attempt if its target function returns %s", async (_what, address) => {
    const transport = create(async () => address) as ReturnType<typeof nodeWebSocket>;
    const error = await failureOf(ExecServerClient.connect({ transport }));
    expect(error).toMatchObject({ name: "UsageError", code: INVALID });
    expectNoneShown(error, ["hunter2"]);
  });

  test("takes a URL of another realm, fixed and from its target function", async () => {
    await using server = await PlainWebSocketServer.start();
    // jsdom has a class URL of its own, which knows nothing of Node's.
    class ForeignUrl {
      readonly href = `${server.url}/foreign`;
      toString(): string {
        return this.href;
      }
      get [Symbol.toStringTag](): string {
        return "URL";
      }
    }
    const url = new ForeignUrl();
    for (const target of [url, () => url, () => ({ url })]) {
      await (await (create(target) as ReturnType<typeof nodeWebSocket>).connect(open())).close();
    }
    expect(server.upgrades.map(({ url: path }) => path)).toEqual(["/foreign", "/foreign", "/foreign"]);
  });
});

test.each([
  ["perMessageDeflate", true],
  ["handshakeTimeout", 1],
  ["tls", {}],
  ["origin", "https://ide.example"],
])("webSocket() of the node entry says what to do instead of %s", (name, value) => {
  expect(() => untyped(nodeWebSocket)(URL_OF_NONE, { [name]: value })).toThrow(codeOf(UNSUPPORTED));
});

test.each([
  ["agent", "http"],
  ["ca", 1],
  ["key", {}],
  ["rejectUnauthorized", "no"],
  ["servername", 1],
])("webSocket() of the node entry refuses %s of the wrong kind", (name, value) => {
  expect(() => untyped(nodeWebSocket)(URL_OF_NONE, { [name]: value })).toThrow(codeOf(INVALID));
});

describe("stdio()", () => {
  test.each<[string, unknown, string]>([
    ["text", "codex", INVALID],
    ["an array", ["codex", "exec-server"], INVALID],
    ["null", null, INVALID],
    ["nothing", undefined, INVALID],
    ["an empty command", { command: "" }, INVALID],
    ["a command that is an array", { command: ["codex"] }, INVALID],
    ["args that are text", { command: "codex", args: "exec-server" }, INVALID],
    ["an argument that is a number", { command: "codex", args: [1] }, INVALID],
    ["an environment variable that is a number", { command: "codex", env: { hunter2: 1 } }, INVALID],
    ["an environment that is a list", { command: "codex", env: ["A=hunter2"] }, INVALID],
    ["a cwd that is null", { command: "codex", cwd: null }, INVALID],
    ["an unknown kind of stderr", { command: "codex", stderr: "pipe" }, INVALID],
    ["a misspelled option", { command: "codex", arg: [] }, INVALID],
    ["shell", { command: "codex", shell: true }, UNSUPPORTED],
    ["detached", { command: "codex", detached: false }, UNSUPPORTED],
    ["stdio", { command: "codex", stdio: "pipe" }, UNSUPPORTED],
    ["argv", { command: "codex", argv: [] }, UNSUPPORTED],
    ["timeout", { command: "codex", timeout: 1 }, UNSUPPORTED],
  ])("refuses %s at once", (_, options, code) => {
    expect(() => untyped(stdio)(options)).toThrow(codeOf(code));
    expect(() => untyped(stdio)(options)).not.toThrow(/hunter2/);
  });

  test("takes undefined as not given, and options of another realm", () => {
    const rest = {
      args: undefined,
      cwd: undefined,
      env: { A: undefined },
      stderr: undefined,
      shell: undefined,
    };
    expect(() => stdio({ command: "codex", ...rest })).not.toThrow();
    const foreign = runInNewContext('({ command: "codex", args: ["exec-server"], env: { A: "b" } })');
    expect(() => stdio(foreign)).not.toThrow();
    expect(() => stdio({ ...foreign, shell: true })).toThrow(codeOf(UNSUPPORTED));
  });
});

describe.each([
  ["messagePort()", (port: unknown, options?: unknown) => untyped(messagePort)(port, options)],
  [
    "bridge()",
    (port: unknown, options?: unknown) => untyped(bridge)(port, rootWebSocket(URL_OF_NONE), options),
  ],
])("%s", (name, create) => {
  test.each<[string, unknown]>([
    ["a misspelled option", { liveness: 1 }],
    ["a number instead of options", 30_000],
    ["null instead of options", null],
    ["livenessMs: null", { livenessMs: null }],
    ["livenessMs: 0", { livenessMs: 0 }],
    ["livenessMs as text", { livenessMs: "soon" }],
  ])("refuses %s at once", (_, options) => {
    const { port1 } = new MessageChannel();
    expect(() => create(port1, options)).toThrow(codeOf(INVALID));
    expect(() => create(port1, options)).toThrow(name);
    port1.close();
  });

  test.each([undefined, null, 1, "port", {}])("refuses the port %s at once", (port) => {
    expect(() => create(port)).toThrow(codeOf(INVALID));
  });
});

describe("a message port that nothing answers", () => {
  const hint = "nothing answered on the message port: does bridge() run on the other side?";

  test("is named by the error of the connect timeout", async () => {
    const { port1, port2 } = new MessageChannel();
    for (const port of [port1, () => new MessageChannel().port1]) {
      const connecting = ExecServerClient.connect({ transport: messagePort(port), connectTimeoutMs: 50 });
      expect(await failureOf(connecting)).toMatchObject({
        code: "ERR_CONNECT_TIMEOUT",
        message: `Timed out after 50 ms while connecting: ${hint}`,
      });
    }
    port2.close();
  });

  test("is named by the error of its silence", async () => {
    const { port1, port2 } = new MessageChannel();
    const transport = messagePort(port1, { livenessMs: 50 });
    const error = await failureOf(ExecServerClient.connect({ transport }));
    expect(error).toMatchObject({ code: "ERR_CONNECT", message: expect.stringContaining(hint) });
    port2.close();
  });

  test("is not blamed where a bridge waits for the exec-server", async () => {
    await using server = await RawServer.silent();
    const { port1, port2 } = new MessageChannel();
    const running = bridge(port2, rootWebSocket(server.url), { livenessMs: 50 });
    const connecting = ExecServerClient.connect({ transport: messagePort(port1), connectTimeoutMs: 500 });
    expect(await failureOf(connecting)).toMatchObject({
      code: "ERR_CONNECT_TIMEOUT",
      message: expect.stringContaining("the bridge has not reached the exec-server"),
    });
    await running.close();
  });

  test("is not named where the function has not returned it", async () => {
    const transport = messagePort(() => new Promise<never>(() => {}));
    expect(await failureOf(ExecServerClient.connect({ transport, connectTimeoutMs: 50 }))).toMatchObject({
      code: "ERR_CONNECT_TIMEOUT",
      message: expect.stringContaining("the function has not returned a port"),
    });
  });
});

describe("a frame of bytes of another realm", () => {
  const text = '{"id":1}';
  const bytes = [...new TextEncoder().encode(text)];
  test.each([
    ["Uint8Array", runInNewContext(`Uint8Array.from(${JSON.stringify(bytes)})`)],
    ["ArrayBuffer", runInNewContext(`Uint8Array.from(${JSON.stringify(bytes)}).buffer`)],
  ])("is delivered whole: %s", async (_, data) => {
    class Foreign extends EventTarget {
      readyState = 1;
      binaryType = "blob";
      constructor() {
        super();
        queueMicrotask(() => {
          this.dispatchEvent(new Event("open"));
          this.dispatchEvent(Object.assign(new Event("message"), { data }));
        });
      }
      send(): void {}
      close(): void {
        this.dispatchEvent(Object.assign(new Event("close"), { code: 1000 }));
      }
    }
    const connection = await rootWebSocket(URL_OF_NONE, { WebSocket: Foreign }).connect(open());
    const frame = await new Promise<string | Uint8Array>((onFrame) =>
      connection.start({ onFrame, onEnd() {} }),
    );
    expect(Buffer.from(frame as Uint8Array).toString()).toBe(text);
    await connection.close();
  });
});
