/** Runs the scenario beside the page, in a dedicated worker or a frame, and takes its orders in messages. */
import { type Call, perform, Scenario } from "./scenario.ts";

const isFrame = "document" in globalThis;

/** Speaks to the page. */
function tell(message: unknown, ports: MessagePort[] = []): void {
  if (isFrame) parent.postMessage(message, "/", ports);
  // This file is checked with the types of a page; a worker's own `postMessage` takes no origin.
  else (postMessage as (message: unknown, ports: MessagePort[]) => void)(message, ports);
}

const scenario = new Scenario(() => {
  const { port1, port2 } = new MessageChannel();
  tell({ wants: "bridge" }, [port2]);
  return port1;
});

addEventListener("message", async ({ data }: MessageEvent<{ id: number; call: Call }>) => {
  const { id, call } = data;
  try {
    tell({ id, result: await perform(scenario, call) });
  } catch (error) {
    tell({ id, error: String(error) });
  }
});
