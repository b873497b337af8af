import { LazyExecServerClient, webSocket } from "./exec-server-sdk.min.js";

const form = document.querySelector("form");
const screen = document.querySelector("pre");

const client = new LazyExecServerClient({
  // Called for each connection, so it uses what was entered last.
  transport: webSocket(() => {
    const { url, token } = Object.fromEntries(new FormData(form));
    return { url, protocols: ["exec-server-gateway", token] };
  }),
});
client.onStateChange(({ state }) => {
  document.querySelector("#state").value = state;
});

async function run(command) {
  screen.textContent = "";
  const decoder = new TextDecoder();
  try {
    const process = await client.start(["sh", "-c", command]);
    for await (const { chunk } of process) screen.append(decoder.decode(chunk, { stream: true }));
    const { exitCode } = await process.closed;
    screen.append(`exit code ${exitCode}\n`);
  } catch (error) {
    screen.append(`${error.code}: ${error.message}\n`);
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void run(new FormData(form).get("command"));
});
