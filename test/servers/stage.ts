import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { LazyExecServerClient, type NetworkPolicyRequest, webSocket } from "../../src/index.ts";
import { ExecServer } from "../support/exec-server.ts";
import { Origin } from "../support/origin.ts";
import { makeServerHome } from "./install.ts";

export const GZIPPED = { text: "decoded" };

/** One real server of some version, a client of it, an origin and an empty directory. */
export class Stage implements AsyncDisposable {
  readonly server: ExecServer;
  readonly client: LazyExecServerClient;
  readonly origin: Origin;
  /** What processes wanted to reach. Everything is denied. */
  readonly asked: NetworkPolicyRequest[] = [];
  readonly directory = mkdtempSync(join(tmpdir(), "exec-server-stage-"));

  private constructor(server: ExecServer, origin: Origin) {
    this.server = server;
    this.origin = origin;
    this.client = new LazyExecServerClient({
      transport: webSocket(server.url),
      onNetworkPolicyRequest: (request) => {
        this.asked.push(request);
        return "deny";
      },
    });
    origin.answer = (response, { url }) => {
      if (url === "/redirect") response.writeHead(302, { location: "/target" }).end();
      else if (url !== "/gzip") response.end("hello from the origin");
      else response.setHeader("content-encoding", "gzip").end(gzipSync(JSON.stringify(GZIPPED)));
    };
  }

  static async start(binary: string): Promise<Stage> {
    const server = await ExecServer.start({
      binary,
      home: makeServerHome(),
      env: { STAGE_VARIABLE: "from the environment" },
    });
    return new Stage(server, await Origin.start());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    await this.server[Symbol.asyncDispose]();
    await this.origin[Symbol.asyncDispose]();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
