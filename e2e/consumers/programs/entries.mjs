/** The story at each entry of the package, for programs without a browser. */
import process from "node:process";
import { failureOf, life, lose, work } from "./story.mjs";

const PAGE = "https://ide.example";
const TOKEN = "the-token-of-an-honest-page";

const entries = {
  async "."({ LazyExecServerClient, webSocket }, { url, origin }) {
    const told = await life((dialled) => {
      const target = () => {
        dialled();
        return url;
      };
      return new LazyExecServerClient({ transport: webSocket(target) });
    }, origin);
    // The server refuses every request with an Origin, so a header that is not sent would let this one in.
    const headers = { origin: PAGE };
    const withHeader = new LazyExecServerClient({ transport: webSocket(url, { headers }) });
    return { ...told, refused: (await failureOf(withHeader.get())).code };
  },

  async "./node"({ LazyExecServerClient, stdio, nodeWebSocket }, { url, origin, codex, home }) {
    const told = await life((dialled) => {
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
    const done = await work(child, origin);
    const lost = await lose(child);
    const again = await failureOf(child.run(["true"]));
    await child.close();
    // One that is alive when it is closed.
    const second = new LazyExecServerClient({ transport });
    const { exited } = await second.start(["sleep", "1000"]);
    await second.close();
    const cut = (await failureOf(exited)).code;
    return { ...told, refused: [code, status], stdio: { ...done, lost, again: again.code, cut } };
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
    const { url: door } = await gateway.listen();
    const knock = (from, token, dialled = () => {}) => {
      const target = () => {
        dialled();
        return door;
      };
      const options = { protocols: [GATEWAY_PROTOCOL, token], headers: { origin: from } };
      return new LazyExecServerClient({ transport: nodeWebSocket(target, options) });
    };
    const refused = [
      (await failureOf(knock("https://attacker.example", TOKEN).get())).status,
      (await failureOf(knock(PAGE, "guessed").get())).status,
    ];
    const told = await life((dialled) => knock(PAGE, TOKEN, dialled), origin);
    await gateway.close();
    return { ...told, refused };
  },
};

/** Called with what the three entries export. */
export async function main({ root, node, gateway }) {
  const { entry, ...parameters } = JSON.parse(process.argv[2]);
  const api = { ...root, ...gateway, stdio: node.stdio, nodeWebSocket: node.webSocket };
  const told = await entries[entry](api, parameters);
  process.stdout.write(`${JSON.stringify({ runtime: runtime(), ...told })}\n`);
}

function runtime() {
  for (const name of ["Deno", "Bun", "Node"]) {
    const version = process.versions[name.toLowerCase()];
    if (version) return `${name} ${version}`;
  }
}
