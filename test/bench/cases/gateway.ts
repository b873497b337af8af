import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { LazyExecServerClient } from "../../../dist/index.js";
import { webSocket } from "../../../dist/node.js";
import { type Case, checkLength } from "./case.ts";
import { BYTES, FLOOD, MEBIBYTES } from "./output.ts";

const ORIGIN = "https://ide.example";
const TOKEN = "token-of-the-bench";
const PROGRAM = fileURLToPath(new URL("../../../dist/gateway-cli.js", import.meta.url));

export const gateway: Case = {
  name: `output of ${MEBIBYTES} MiB through the gateway (beside: without)`,
  unit: ["ms", "MiB"],
  amount: MEBIBYTES,
  turns: 5,
  goal: { speed: 0.8 },
  rounds: async ({ url }) => {
    const page = {
      protocols: ["exec-server-gateway", TOKEN],
      headers: { origin: ORIGIN },
    };
    const gatewayUrl = await startGateway(url);
    return {
      SDK: () => flood(new LazyExecServerClient({ transport: webSocket(gatewayUrl, page) })),
      "hand-written": () => flood(new LazyExecServerClient({ transport: webSocket(url) })),
    };
  },
};

/** Runs the gateway in its own process, which ends with this one. */
async function startGateway(upstream: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "gateway-bench-"));
  const tokenFile = join(directory, "token");
  writeFileSync(tokenFile, TOKEN);
  const args = ["--origin", ORIGIN, "--upstream", upstream, "--token-file", tokenFile];
  const child = spawn(process.execPath, [PROGRAM, ...args, "--listen", "127.0.0.1:0"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  process.once("exit", () => {
    child.kill();
    rmSync(directory, { recursive: true });
  });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  child.unref();
  child.stdout.destroy();
  return line.replace("Listening on ", "");
}

async function flood(client: LazyExecServerClient): Promise<undefined> {
  await using connected = client;
  let bytes = 0;
  const process = await connected.start(FLOOD);
  for await (const { chunk } of process) bytes += chunk.length;
  return checkLength(bytes, BYTES);
}
