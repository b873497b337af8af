import type { Random } from "../support/random.ts";
import { contentOf, sizeOf } from "./files.ts";
import type { CallModel } from "./models.ts";

/** A request from the client. */
export interface Request {
  readonly id: number;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** The process, file or URL of the request; the method where there is none. */
  readonly subject: string;
  readonly model: CallModel;
}

export const validError = { error: { code: -32603, message: "the disk has failed", data: { at: "noon" } } };

const INFO = {
  platformOs: "linux",
  cwd: "file:///work",
  tempDir: "file:///tmp",
  executorVersion: "0.171.0",
  capabilities: {
    fileWriteStreaming: true,
    fsWatchMissing: true,
    httpHeaderEnvVars: true,
    networkProxyLaunch: true,
  },
};

/** The result that a correct server sends. */
export function validResult({ method, params, subject }: Request, random: Random): unknown {
  const make = RESULTS[method];
  return make ? make(subject, params, random) : params;
}

type MakeResult = (subject: string, params: Readonly<Record<string, unknown>>, random: Random) => unknown;

const RESULTS: Readonly<Record<string, MakeResult>> = {
  initialize: () => ({ sessionId: "session-1", environmentInfo: INFO }),
  "environment/info": () => INFO,
  "environment/status": () => ({ status: "ready" }),
  "process/start": (processId) => ({ processId, sandboxType: "none" }),
  "process/write": (_subject, _params, random) => ({
    status: random.pick(["accepted", "accepted", "stdinClosed"]),
  }),
  "process/signal": () => ({}),
  "process/terminate": () => ({ running: true }),
  "http/request": (_subject, _params, random) => ({
    status: random.pick([200, 200, 200, 404, 204]),
    headers: [{ name: "content-type", value: "text/plain" }],
    bodyBase64: "",
  }),
  "fs/getMetadata": (path) => ({
    isDirectory: false,
    isFile: true,
    isSymlink: false,
    size: sizeOf(path),
    createdAtMs: 1,
    modifiedAtMs: 2,
  }),
  "fs/readFile": (path) => ({ dataBase64: contentOf(path).toString("base64") }),
  "fs/open": (_subject, { handleId }) => ({ handleId }),
  "fs/readBlock": (path, { offset, len }) => ({
    chunk: contentOf(path, Number(offset), Number(len)).toString("base64"),
    eof: Number(offset) + Number(len) >= sizeOf(path),
  }),
  "fs/canonicalize": (_subject, { path }) => ({ path }),
  "fs/readDirectory": () => ({ entries: [{ fileName: "a", isDirectory: true, isFile: false }] }),
  "fs/walk": (_subject, { path }) => ({
    entries: [{ path: `${path}/a`, kind: "file" }],
    errors: [],
    truncated: false,
  }),
  "fs/watchMissing": (_subject, { missing }) => ({ watching: (missing as unknown[]).length > 0 }),
  "fs/writeFile": () => ({}),
  "fs/writeBlock": () => ({}),
  "fs/close": () => ({}),
  "fs/createDirectory": () => ({}),
  "fs/remove": () => ({}),
  "fs/copy": () => ({}),
};
