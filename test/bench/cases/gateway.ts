import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { LazyExecServerClient } from "exec-server-sdk";
import { webSocket } from "exec-server-sdk/node";
import type { Case } from "./case.ts";
import { FLOOD } from "./flood.ts";

const MEBIBYTES = 64;
const ORIGIN = "https://ide.example";
const TOKEN = "token-of-the-bench";

export const gateway: Case = {
  name: "output flood through the gateway",
  other: "direct",
  pairs: 21,
  goal: 0.8,
  work: { amount: MEBIBYTES, unit: "MiB/s" },
  rounds: async ({ url }) => {
    const page = {
      protocols: ["exec-server-gateway", TOKEN],
      headers: { origin: ORIGIN },
    };
    const gatewayUrl = await startGateway(url);
    return {
      sdk: () => flood(new LazyExecServerClient({ transport: webSocket(gatewayUrl, page) })),
      other: () => flood(new LazyExecServerClient({ transport: webSocket(url) })),
    };
  },
};

/** In a process of its own, as everywhere; it ends with this one. */
async function startGateway(upstream: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "gateway-bench-"));
  const tokenFile = join(directory, "token");
  writeFileSync(tokenFile, TOKEN);
  const program = join(dirname(createRequire(import.meta.url).resolve("exec-server-sdk")), "gateway-cli.js");
  const args = ["--origin", ORIGIN, "--upstream", upstream, "--token-file", tokenFile];
  const child = spawn(process.execPath, [program, ...args, "--listen", "127.0.0.1:0"], {
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
  if (bytes !== MEBIBYTES * 1024 * 1024) throw new Error(`${bytes} bytes have arrived`);
}
