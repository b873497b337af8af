/** The page. It has neither Node nor network access, and uses the same client as every other runtime. */
import { LazyExecServerClient, messagePort } from "exec-server-sdk";

const { demo } = globalThis as unknown as { readonly demo: { killServer(): void } };

const client = new LazyExecServerClient({
  // Creates a port for each connection. The preload script passes the other side to the main process.
  transport: messagePort(() => {
    const { port1, port2 } = new MessageChannel();
    window.postMessage("exec-server-port", "*", [port2]);
    return port1;
  }),
});

const element = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E;
const output = element("output");

client.onStateChange(({ state, sessionId, error }) => {
  element("state").textContent = state;
  const change = document.createElement("li");
  change.textContent = [state, sessionId?.slice(0, 8), error?.message].filter(Boolean).join(" · ");
  element("changes").append(change);
});

async function run(command: string): Promise<void> {
  output.textContent = "";
  try {
    const { shell } = await client.info();
    const process = await client.start([shell?.path ?? "sh", "-c", command]);
    const decoder = new TextDecoder();
    for await (const { chunk } of process) output.append(decoder.decode(chunk, { stream: true }));
    const { exitCode } = await process.closed;
    output.append(`\nexit code ${exitCode}`);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    output.append(`\n${code}: ${message}`);
  }
}

element<HTMLFormElement>("form").addEventListener("submit", (event) => {
  event.preventDefault();
  void run(element<HTMLInputElement>("command").value);
});
element("kill").addEventListener("click", () => demo.killServer());
