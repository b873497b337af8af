import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
