/** The worker that has the WebSocket of a client in the page: with the SDK's bridge, or with the few lines of a relay. */
import { bridge, webSocket } from "exec-server-sdk";
import type { Materials } from "./work.ts";

addEventListener("message", ({ data, ports }) => {
  const { kind, materials } = data as { kind: "bridge" | "relay"; materials: Materials };
  const port = ports[0] as MessagePort;
  const { url, protocols } = materials;
  if (kind === "bridge") {
    bridge(port, webSocket(url, { protocols }));
    return;
  }
  const socket = new WebSocket(url, [...protocols]);
  socket.onmessage = (event) => port.postMessage(event.data);
  socket.onopen = () => {
    port.onmessage = (event) => socket.send(event.data);
  };
});
