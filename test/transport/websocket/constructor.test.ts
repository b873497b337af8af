import { afterEach, describe, expect, test, vi } from "vitest";
import { WebSocket as WsWebSocket } from "ws";
import { ExecServerClient, UsageError, webSocket } from "../../../src/index.ts";
import { webSocket as nodeWebSocket } from "../../../src/node.ts";
import { failureOf } from "../../support/failure.ts";
import { expectNoneShown } from "../../support/leaks.ts";
import { unusedPort } from "../../support/tcp-server.ts";
import { PlainWebSocketServer } from "../../support/websocket-server.ts";
import { ENTRIES } from "../harness/entries.ts";

const open = () => ({ signal: new AbortController().signal });
const headers = { authorization: "Bearer hunter2" };

/** Makes a WebSocket the runtime's own, which records its arguments. */
function nativeWebSocket() {
  const calls: unknown[][] = [];
  class Native extends FailingWebSocket {
    constructor(...args: unknown[]) {
      super();
      calls.push(args);
    }
  }
  vi.stubGlobal("WebSocket", Native);
  return { Native, calls };
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("the headers option", () => {
  test.each([
    ["the default constructor", (url: string) => webSocket(url, { headers })],
    ["an injected constructor", (url: string) => webSocket(url, { headers, WebSocket: WsWebSocket })],
    ["the node entry", (url: string) => nodeWebSocket(url, { headers })],
  ])("is sent by %s", async (_, makeTransport) => {
    await using server = await PlainWebSocketServer.start();
    await (await makeTransport(server.url).connect(open())).close();
    expect(server.upgrades[0]?.headers.authorization).toBe("Bearer hunter2");
  });

  test("is sent together with protocols", async () => {
    await using server = await PlainWebSocketServer.start();
    const transport = webSocket(server.url, {
      headers,
      protocols: ["exec", "ticket"],
      WebSocket: WsWebSocket,
    });
    await (await transport.connect(open())).close();
    expect(server.upgrades[0]?.headers["sec-websocket-protocol"]).toBe("exec,ticket");
    expect(server.upgrades[0]?.headers.authorization).toBe("Bearer hunter2");
  });

  test("is passed to the WebSocket of Node, Bun and Deno in their own form", async () => {
    const { Native, calls } = nativeWebSocket();
    const transport = webSocket("ws://127.0.0.1/", { headers, protocols: ["exec"], WebSocket: Native });
    await failureOf(transport.connect(open()));
    expect(calls).toEqual([["ws://127.0.0.1/", { protocols: ["exec"], headers }]]);
  });

  test("is laid over by those of the target in any spelling, because a runtime would send both", async () => {
    const { Native, calls } = nativeWebSocket();
    const target = () => ({ url: "ws://127.0.0.1/", headers: { Authorization: "Bearer new" } });
    await failureOf(webSocket(target, { headers, WebSocket: Native }).connect(open()));
    expect(calls).toEqual([["ws://127.0.0.1/", { protocols: [], headers: { authorization: "Bearer new" } }]]);
  });

  test("fails with ERR_UNSUPPORTED if the runtime's WebSocket takes no headers", async () => {
    class Native extends FailingWebSocket {
      constructor(_url: string, protocols?: unknown) {
        super();
        if (!Array.isArray(protocols))
          throw new SyntaxError(`The subprotocol '${String(protocols)}' is invalid.`);
      }
    }
    vi.stubGlobal("WebSocket", Native);
    const transport = webSocket("ws://127.0.0.1/", { headers, WebSocket: Native });
    const error = await failureOf(ExecServerClient.connect({ transport }));
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toMatchObject({ code: "ERR_UNSUPPORTED" });
    expectNoneShown(error, ["hunter2"]);
  });
});

describe.each(ENTRIES)("webSocket() of the %s", (_, makeTransport) => {
  test.each([
    [
      "a malformed subprotocol",
      { protocols: ["bearer.hunter2 hunter2"] },
      /protocols .* that can't be sent$/,
    ],
    ["an empty subprotocol", { protocols: ["hunter2", ""] }, /protocols .*, got an empty string$/],
    ["a subprotocol with the line end of its file", { protocols: "hunter2\n" }, /protocols .*: trim it$/],
    ["a subprotocol given twice", { protocols: ["hunter2", "hunter2"] }, /protocols .*, got one twice$/],
    ["a malformed header", { headers: { a: "hunter2\r\nx: hunter2" } }, /header a .* that can't be sent$/],
    ["a header with the line end of its file", { headers: { a: "hunter2\n" } }, /header a .*: trim it$/],
    ["a malformed header name", { headers: { "hunter2:": "1" } }, /headers .*, got another name$/],
  ])("rejects %s with a UsageError that does not quote it", async (_what, options, message) => {
    const transport = makeTransport("ws://127.0.0.1/", options);
    const error = await failureOf(ExecServerClient.connect({ transport }));
    expect(error).toMatchObject({ name: "UsageError", code: "ERR_INVALID_ARGUMENT" });
    expect((error as UsageError).message).toMatch(message);
    expectNoneShown(error, ["hunter2"]);
  });

  test("says what is in a list that is none of texts", () => {
    const protocols = ["exec-server-gateway", undefined as unknown as string];
    expect(() => makeTransport("ws://127.0.0.1/", { protocols })).toThrow(
      "protocols must be a string or an array of strings, got an array with undefined",
    );
  });
});

test("closes the socket if its constructor aborts the dial, and rejects with the signal's reason", async () => {
  await using server = await PlainWebSocketServer.start();
  const controller = new AbortController();
  const reason = new Error("aborted by the constructor");
  const sockets: WsWebSocket[] = [];
  class Aborting extends WsWebSocket {
    constructor(...args: ConstructorParameters<typeof WsWebSocket>) {
      super(...args);
      sockets.push(this);
      controller.abort(reason);
    }
  }
  const transport = webSocket(server.url, { WebSocket: Aborting });
  expect(await failureOf(transport.connect({ signal: controller.signal }))).toBe(reason);
  await expect.poll(() => sockets.map(({ readyState }) => readyState)).toEqual([WsWebSocket.CLOSED]);
});

describe("a socket that fails while connecting", () => {
  test("fails the dial on an error without a close event", async () => {
    const transport = webSocket("ws://127.0.0.1/?token=hunter2", { WebSocket: FailingWebSocket });
    const error = await failureOf(ExecServerClient.connect({ transport }));
    expect(error).toMatchObject({ code: "ERR_CONNECT", phase: "dial", delivery: "not-sent" });
    expectNoneShown(error, ["hunter2"]);
  });

  test("reports the close code of a close event right behind the error", async () => {
    class Browser extends FailingWebSocket {
      protected override fail(): void {
        super.fail();
        this.dispatchEvent(Object.assign(new Event("close"), { code: 1006 }));
      }
    }
    const transport = webSocket("ws://127.0.0.1/", { WebSocket: Browser });
    const error = await failureOf(ExecServerClient.connect({ transport }));
    expect(error).toMatchObject({ code: "ERR_CONNECT", closeCode: 1006 });
  });

  test.each([
    ["Bun", "WebSocket connection to 'ws://127.0.0.1/' failed: Expected 101 status code: 403", 1006],
    ["Deno", "failed to connect to WebSocket: Invalid status code: 403", 0],
  ])("reports the HTTP status and the close code of a refused upgrade in %s", async (_, message, code) => {
    class Native extends FailingWebSocket {
      protected override fail(): void {
        this.dispatchEvent(Object.assign(new Event("error"), { message }));
        this.dispatchEvent(Object.assign(new Event("close"), { code }));
      }
    }
    const transport = webSocket("ws://127.0.0.1/", { WebSocket: Native });
    const error = await failureOf(ExecServerClient.connect({ transport }));
    expect(error).toMatchObject({ code: "ERR_CONNECT", status: 403, closeCode: 1006 });
  });

  test("fails each attempt on its own socket with its own error", async () => {
    const url = `ws://127.0.0.1:${await unusedPort()}`;
    const transport = webSocket(url, { WebSocket: WsWebSocket });
    const errors = [await failureOf(transport.connect(open())), await failureOf(transport.connect(open()))];
    expect(errors[0]).not.toBe(errors[1]);
    for (const error of errors) expect(error).toMatchObject({ code: "ERR_CONNECT" });
  });
});

test("reports an end with close code 0, as Deno does, as a broken connection with code 1006", async () => {
  class Native extends FailingWebSocket {
    override readonly readyState = 1;
    protected override fail(): void {
      this.dispatchEvent(new Event("open"));
      this.dispatchEvent(Object.assign(new Event("close"), { code: 0, reason: "" }));
    }
  }
  const connection = await webSocket("ws://127.0.0.1/", { WebSocket: Native }).connect(open());
  const end = await new Promise((resolve) => connection.start({ onFrame() {}, onEnd: resolve }));
  expect(end).toMatchObject({ closeCode: 1006, reason: "the WebSocket closed with code 1006" });
});

/** Like the WebSocket of Node 22: a failed handshake emits only an error, and the state does not change. */
class FailingWebSocket extends EventTarget {
  readonly readyState: number = 0;
  binaryType = "blob";

  constructor() {
    super();
    setImmediate(() => this.fail());
  }

  protected fail(): void {
    this.dispatchEvent(new Event("error"));
  }

  send(): void {}
  close(): void {}
}
