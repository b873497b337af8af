import { WebSocket } from "ws";
import { webSocket } from "../../src/index.ts";
import { webSocket as nodeWebSocket } from "../../src/node.ts";
import { transportContract } from "./contract.ts";
import { memoryHarness } from "./harness/memory.ts";
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
transportContract("a test server's transport", testServerHarness);
