import { randomFillSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { GatewayChild } from "../../../e2e/support/gateway-child.ts";
import { ExecServer } from "../../support/exec-server.ts";
import { Origin } from "../../support/origin.ts";
import { startOrigin } from "../cases/http.ts";
import { type Materials, SIZE } from "./work.ts";

const TOKEN = "bench-page-token";

/** The page, and the real exec-server behind a gateway in a process of its own. */
export interface Servers extends AsyncDisposable {
  readonly page: string;
  readonly materials: Materials;
}

export async function startServers(): Promise<Servers> {
  const directory = mkdtempSync(join(tmpdir(), "exec-server-bench-"));
  const file = join(directory, "random");
  writeFileSync(file, randomFillSync(Buffer.alloc(SIZE)));
  const files = await bundlePage();
  const page = await Origin.start((response, { url }) => {
    const content = files.get(url);
    response.writeHead(content === undefined ? 404 : 200, {
      "content-type": url.endsWith(".js") ? "text/javascript" : "text/html",
    });
    response.end(content);
  });
  const server = await ExecServer.start({ args: ["--concurrent-requests", "8"] });
  const gateway = await GatewayChild.start({ upstream: server.url, origin: page.url, token: TOKEN });
  return {
    page: page.url,
    materials: {
      url: `ws://127.0.0.1:${gateway.port}/`,
      protocols: ["exec-server-gateway", TOKEN],
      file,
      copy: join(directory, "copy"),
      origin: await startOrigin(SIZE / 1024 / 1024),
    },
    async [Symbol.asyncDispose]() {
      await gateway.kill();
      await server[Symbol.asyncDispose]();
      await page[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The files of the page by path, minified as in production. */
async function bundlePage(): Promise<ReadonlyMap<string, string>> {
  const { outputFiles } = await build({
    entryPoints: ["main", "worker"].map((name) => join(import.meta.dirname, `${name}.ts`)),
    outdir: "/",
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2022",
    platform: "browser",
  });
  const html =
    '<!doctype html><link rel="icon" href="data:," /><script type="module" src="/main.js"></script>';
  return new Map([
    ["/", html],
    ...outputFiles.map(({ path, text }) => [path.slice(path.lastIndexOf("/")), text] as const),
  ]);
}
