import { mkdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { ExecServerClient, webSocket } from "../../src/index.ts";
import { realClient } from "./real-client.ts";
import { type Intercept, Relay } from "./relay.ts";

/** A client of a real server on this machine, and a temporary directory that tests can read directly. */
export async function realFiles() {
  const real = await realClient();
  const directory = await mkdtemp(join(tmpdir(), "files-"));
  return {
    ...real,
    fs: real.client.fs,
    directory,
    path: (...names: string[]) => join(directory, ...names),
    /** Runs a shell script in the directory. */
    sh: async (script: string) =>
      (await real.client.run(["sh", "-euc", script], { cwd: directory })).stdout.trim(),
    async [Symbol.asyncDispose]() {
      await real[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** For a test file: relayed files, with a new directory in front of each test. */
export function useRelayedFolders() {
  let relayed: Awaited<ReturnType<typeof relayedFiles>>;
  let folder = "";
  let count = 0;
  beforeAll(async () => {
    relayed = await relayedFiles();
  });
  beforeEach(() => {
    relayed.relay.intercept = () => undefined;
    folder = relayed.path(String(++count));
    mkdirSync(folder);
  });
  afterAll(() => relayed[Symbol.asyncDispose]());
  return {
    get fs() {
      return relayed.fs;
    },
    get relay() {
      return relayed.relay;
    },
    /** A path in the directory of the test. */
    at: (name: string) => `${folder}/${name}`,
  };
}

/** The same through a relay that records what the client sends. */
export async function relayedFiles(intercept?: Intercept) {
  const real = await realFiles();
  const relay = await Relay.start(real.server.url, intercept);
  const client = await ExecServerClient.connect({ transport: webSocket(relay.url) });
  return {
    ...real,
    /** The client without the relay. */
    direct: real.client,
    client,
    fs: client.fs,
    relay,
    async [Symbol.asyncDispose]() {
      await client.close();
      await relay[Symbol.asyncDispose]();
      await real[Symbol.asyncDispose]();
    },
  };
}
