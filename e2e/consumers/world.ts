import { codexBinary, ExecServer, makeCodexHome } from "../../test/support/exec-server.ts";
import { Origin } from "../../test/support/origin.ts";

/** What a consumer talks to: the real exec-server, and an origin, which can also start it again. */
export class World implements AsyncDisposable {
  readonly server: ExecServer;
  readonly origin: Origin;

  private constructor(server: ExecServer, origin: Origin) {
    this.server = server;
    this.origin = origin;
    origin.answer = async (response, { url }) => {
      if (url === "/restart") await server.restart();
      // A page of another origin may ask, too.
      response.setHeader("access-control-allow-origin", "*");
      response.end("hello from the origin");
    };
  }

  static async start(): Promise<World> {
    return new World(await ExecServer.start({ args: ["--concurrent-requests", "8"] }), await Origin.start());
  }

  /** The argument of the programs. */
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

const WORKED = {
  stdout: "hello\n",
  failed: ["ERR_PROCESS_EXIT", 7],
  echoed: "through a pipe",
  file: "in a file",
  fetched: "hello from the origin",
};

const lived = (closeCode: number) => ({
  before: { state: "idle", dials: 0 },
  ...WORKED,
  lost: { code: "ERR_DISCONNECTED", closeCode },
  down: "ERR_CONNECT",
  after: { clients: 1, dials: 1, isNewSession: true, echoed: "again" },
  closed: "closed",
});

/** What the story has to tell of each entry, and of a page. */
export const EXPECTED = {
  ".": { ...lived(1006), refused: "ERR_CONNECT" },
  "./node": {
    ...lived(1006),
    refused: ["ERR_CONNECT", 403],
    stdio: {
      ...WORKED,
      lost: { code: "ERR_DISCONNECTED" },
      again: "ERR_DISCONNECTED",
      cut: "ERR_CLOSED",
    },
  },
  "./gateway": { ...lived(4001), refused: [403, 401] },
  page: lived(4001),
} as const;
