/** Runs the lifecycle with each entry of the package, for programs outside of a browser. */
import process from "node:process";
import { failureOf, killServer, lifecycle, useEverything } from "./lifecycle.mjs";

const PAGE = "https://ide.example";
const TOKEN = "the-token-of-the-allowed-page";

const entries = {
  async "."({ LazyExecServerClient, webSocket }, { url, origin }) {
    const report = await lifecycle((dialled) => {
      const target = () => {
        dialled();
        return url;
      };
      return new LazyExecServerClient({ transport: webSocket(target) });
    }, origin);
    // The server rejects every dial with an Origin header, so this one only fails if the header is sent.
    const headers = { origin: PAGE };
    const withHeader = new LazyExecServerClient({ transport: webSocket(url, { headers }) });
    return { ...report, refused: (await failureOf(withHeader.get())).code };
  },

  async "./node"({ LazyExecServerClient, stdio, nodeWebSocket }, { url, origin, codex, home }) {
    const report = await lifecycle((dialled) => {
      const target = () => {
        dialled();
        return { url };
      };
      return new LazyExecServerClient({ transport: nodeWebSocket(target) });
    }, origin);
    const headers = { origin: PAGE };
    const withHeader = new LazyExecServerClient({ transport: nodeWebSocket(url, { headers }) });
    const { code, status } = await failureOf(withHeader.get());

    const args = ["exec-server", "--listen", "stdio"];
    const transport = stdio({ command: codex, args, env: { CODEX_HOME: home } });
    const child = new LazyExecServerClient({ transport });
    const used = await useEverything(child, origin);
    const lost = await killServer(child);
    const again = await failureOf(child.run(["true"]));
    await child.close();
    // This client is closed while its process is running.
    const second = new LazyExecServerClient({ transport });
    const { exited } = await second.start(["sleep", "1000"]);
    await second.close();
    const cut = (await failureOf(exited)).code;
    return { ...report, refused: [code, status], stdio: { ...used, lost, again: again.code, cut } };
  },

  async "./gateway"(
    { LazyExecServerClient, nodeWebSocket, createGateway, GATEWAY_PROTOCOL },
    { url, origin },
  ) {
    const gateway = createGateway({
      upstream: nodeWebSocket(url),
      allowedOrigins: [PAGE],
      authorize: { token: TOKEN },
    });
    const { url: gatewayUrl } = await gateway.listen();
    const clientOf = (pageOrigin, token, dialled = () => {}) => {
      const target = () => {
        dialled();
        return gatewayUrl;
      };
      const options = { protocols: [GATEWAY_PROTOCOL, token], headers: { origin: pageOrigin } };
      return new LazyExecServerClient({ transport: nodeWebSocket(target, options) });
    };
    const refused = [
      (await failureOf(clientOf("https://attacker.example", TOKEN).get())).status,
      (await failureOf(clientOf(PAGE, "guessed").get())).closeCode,
    ];
    const report = await lifecycle((dialled) => clientOf(PAGE, TOKEN, dialled), origin);
    await gateway.close();
    return { ...report, refused };
  },
};

/** Called with the exports of the three entries. Prints the report as JSON. */
export async function main({ root, node, gateway }) {
  const { entry, ...parameters } = JSON.parse(process.argv[2]);
  const api = { ...root, ...gateway, stdio: node.stdio, nodeWebSocket: node.webSocket };
  const report = await entries[entry](api, parameters);
  process.stdout.write(`${JSON.stringify({ runtime: runtime(), ...report })}\n`);
}

function runtime() {
  for (const name of ["Deno", "Bun", "Node"]) {
    const version = process.versions[name.toLowerCase()];
    if (version) return `${name} ${version}`;
  }
}
