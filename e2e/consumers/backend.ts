import { codexBinary, ExecServer, makeCodexHome } from "../../test/support/exec-server.ts";
import { Origin } from "../../test/support/origin.ts";

/** The real exec-server, and an HTTP origin that restarts the server on a request of `/restart` and echoes at `/echo`. */
export class Backend implements AsyncDisposable {
  readonly server: ExecServer;
  readonly origin: Origin;

  private constructor(server: ExecServer, origin: Origin) {
    this.server = server;
    this.origin = origin;
    origin.answer = async (response, { url, body }) => {
      if (url === "/restart") await server.restart();
      // The page of the bundler tests has another origin.
      response.setHeader("access-control-allow-origin", "*");
      response.end(url === "/echo" ? body : "hello from the origin");
    };
  }

  static async start(): Promise<Backend> {
    const server = await ExecServer.start({ args: ["--concurrent-requests", "8"] });
    return new Backend(server, await Origin.start());
  }

  /** The command line argument of the programs. */
  parameters(entry: string): string {
    return JSON.stringify({
      entry,
      url: this.server.url,
      origin: this.origin.url,
      codex: codexBinary(),
      home: makeCodexHome(),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await this.origin[Symbol.asyncDispose]();
  }
}

const USED = {
  stdout: "hello\n",
  failed: ["ERR_PROCESS_EXIT", 7],
  echoed: "through a pipe",
  file: "in a file",
  fetched: "hello from the origin",
};

const lifecycle = (closeCode: number) => ({
  before: { state: "idle", dials: 0 },
  ...USED,
  lost: { code: "ERR_DISCONNECTED", closeCode },
  down: "ERR_CONNECT",
  after: { clients: 1, dials: 1, isNewSession: true, echoed: "again" },
  closed: "closed",
});

/** The expected report of each entry, and of a page. */
export const EXPECTED = {
  ".": { ...lifecycle(1006), refused: "ERR_CONNECT" },
  "./node": {
    ...lifecycle(1006),
    refused: ["ERR_CONNECT", 403],
    stdio: {
      ...USED,
      lost: { code: "ERR_DISCONNECTED" },
      again: "ERR_DISCONNECTED",
      cut: "ERR_CLOSED",
    },
  },
  "./gateway": { ...lifecycle(4001), refused: [403, 4401] },
  page: lifecycle(4001),
} as const;
