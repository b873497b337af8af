import { WebSocket } from "ws";
import { webSocket } from "../../src/index.ts";
import { webSocket as nodeWebSocket } from "../../src/node.ts";
import { transportContract } from "./contract.ts";
import { memoryHarness } from "./harness/memory.ts";
import { bridgedHarness, messagePortHarness } from "./harness/message-port.ts";
import { stdioHarness } from "./harness/stdio.ts";
import { testServerHarness } from "./harness/test-server.ts";
import { webSocketHarness } from "./harness/websocket.ts";

transportContract("webSocket()", () => webSocketHarness((url) => webSocket(url)));
transportContract("webSocket() with an injected constructor", () =>
  webSocketHarness((url) => webSocket(url, { WebSocket })),
);
transportContract("webSocket() of the node entry", () => webSocketHarness((url) => nodeWebSocket(url)));
transportContract("stdio()", stdioHarness);
transportContract("memoryTransport()", memoryHarness);
transportContract("messagePort()", messagePortHarness);
transportContract("messagePort() and a bridge to webSocket()", () =>
  bridgedHarness(() => webSocketHarness((url) => nodeWebSocket(url))),
);
transportContract("messagePort() and a bridge to stdio()", () => bridgedHarness(stdioHarness));
transportContract("a test server's transport", testServerHarness);
