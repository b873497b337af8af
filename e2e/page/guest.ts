/** Runs the scenario in a dedicated worker or a frame of the page. The page sends the calls as messages. */
import { type Call, perform, Scenario } from "./scenario.ts";

const isFrame = "document" in globalThis;

/** Posts a message to the page. */
function post(message: unknown, ports: MessagePort[] = []): void {
  if (isFrame) parent.postMessage(message, "/", ports);
  // The file is compiled with the types of a page. The `postMessage` of a worker has no origin parameter.
  else (postMessage as (message: unknown, ports: MessagePort[]) => void)(message, ports);
}

const scenario = new Scenario(() => {
  const { port1, port2 } = new MessageChannel();
  post({ wants: "bridge" }, [port2]);
  return port1;
});

addEventListener("message", async ({ data }: MessageEvent<{ id: number; call: Call }>) => {
  const { id, call } = data;
  try {
    post({ id, result: await perform(scenario, call) });
  } catch (error) {
    post({ id, error: String(error) });
  }
});
