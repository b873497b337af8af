import { getEventListeners } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RemoteFileSystem, ServerError, type TransferProgress } from "../../src/index.ts";
import { failureOf } from "../support/failure.ts";
import { freeze, OPERATIONS, PREPARE } from "../support/operations.ts";
import { relayedFiles } from "../support/remote-files.ts";
import { scriptedFiles } from "../support/scripted-files.ts";

const MIB = 1024 * 1024;

let relayed: Awaited<ReturnType<typeof relayedFiles>>;
beforeAll(async () => {
  relayed = await relayedFiles();
  await relayed.relay.request("initialized");
  await relayed.sh(PREPARE);
});
afterAll(() => relayed[Symbol.asyncDispose]());

describe.each(Object.entries(OPERATIONS))("%s", (_, { method, act }) => {
  it("sends nothing when its signal is already aborted", async () => {
    const before = relayed.relay.received.length;
    const contents = await relayed.sh("ls -lR --time-style=+%s%N; sha256sum large");
    const reason = new Error("aborted");
    expect(await failureOf(act(relayed.fs, relayed.path, AbortSignal.abort(reason)))).toBe(reason);
    await relayed.client.status();
    expect(relayed.relay.received.slice(before).map(({ method }) => method)).toEqual(["environment/status"]);
    expect(await relayed.sh("ls -lR --time-style=+%s%N; sha256sum large")).toBe(contents);
  });

  it("rejects at once when its signal aborts, and the connection stays usable", async () => {
    const { relay, server, client } = relayed;
    const before = relay.received.length;
    const since = (name: string) => relay.received.slice(before).filter(({ method }) => method === name);
    const controller = new AbortController();
    await freeze(server.pid as number);
    try {
      const ended = failureOf(act(relayed.fs, relayed.path, controller.signal));
      await relay.until(() => since(method).length === 1);
      const reason = new Error("aborted");
      controller.abort(reason);
      expect(await ended).toBe(reason);
    } finally {
      process.kill(server.pid as number, "SIGCONT");
    }
    if (method === "fs/open") await relay.until(() => since("fs/close").length === 1);
    expect(await client.status()).toEqual({ status: "ready" });
    expect([since("fs/open").length, since("fs/writeBlock").length]).toEqual([
      method === "fs/open" ? 1 : 0,
      0,
    ]);
    await relayed.sh(`rm -rf ./*; ${PREPARE}`);
  });
});

describe("an abort in the middle", () => {
  it("rejects a large readFile() and writeFile() with the reason and closes their file", async () => {
    await relayed.sh("head -c 60000000 /dev/zero > huge");
    const reason = new Error("aborted");
    for (const work of [
      (options: object) => relayed.fs.readFile(relayed.path("huge"), options),
      (options: object) => relayed.fs.writeFile(relayed.path("huge"), new Uint8Array(60 * MIB), options),
    ]) {
      const closes = relayed.relay.count("fs/close");
      const controller = new AbortController();
      const onProgress = () => controller.abort(reason);
      expect(await failureOf(work({ signal: controller.signal, onProgress }))).toBe(reason);
      await relayed.relay.request("fs/close", closes + 1);
      expect(await relayed.client.status()).toEqual({ status: "ready" });
    }
    expect(reason).toHaveProperty("bytesWritten", MIB);
    expect((await relayed.fs.stat(relayed.path("huge"))).size).toBeLessThan(20 * MIB);
  });

  it.each<[string, (path: string, options: object) => Promise<unknown>]>([
    ["readFile()", (path, options) => relayed.fs.readFile(path, options)],
    ["writeFile()", (path, options) => relayed.fs.writeFile(path, new Uint8Array(3 * MIB), options)],
  ])("rejects a large %s that is aborted after its last block", async (_, transfer) => {
    const path = relayed.path("three");
    await relayed.fs.writeFile(path, new Uint8Array(3 * MIB));
    const closes = relayed.relay.count("fs/close");
    const controller = new AbortController();
    const { signal } = controller;
    const seen: number[] = [];
    const onProgress = ({ bytes }: TransferProgress) => {
      seen.push(bytes);
      if (bytes === 3 * MIB) controller.abort("aborted");
    };
    expect(await transfer(path, { signal, onProgress }).catch((reason: unknown) => reason)).toBe("aborted");
    expect(seen).toEqual([MIB, 2 * MIB, 3 * MIB]);
    expect(getEventListeners(signal, "abort")).toEqual([]);
    await relayed.relay.request("fs/close", closes + 1);
  });
});

describe("an abort with a ServerError as its reason", () => {
  const refusal = new ServerError("another request was rejected", { rpcCode: -32603, kind: "not-found" });

  it.each<[string, string, (fs: RemoteFileSystem, signal: AbortSignal) => Promise<unknown>]>([
    ["exists()", "fs/getMetadata", (fs, signal) => fs.exists("/p", { signal })],
    ["rm()", "fs/getMetadata", (fs, signal) => fs.rm("/p", { signal })],
    ["cp()", "fs/getMetadata", (fs, signal) => fs.cp("/p", "/q", { signal })],
    [
      "createWriteStream()",
      "fs/writeBlock",
      (fs, signal) =>
        fs
          .createWriteStream("/p", { signal })
          .getWriter()
          .write(new Uint8Array(9 * MIB)),
    ],
  ])("%s does not mistake the reason for a response", async (_, method, act) => {
    await using scripted = await scriptedFiles(() => {});
    const controller = new AbortController();
    const ended = failureOf(act(scripted.fs, controller.signal));
    await scripted.connection.request(method);
    controller.abort(refusal);
    expect(await ended).toBe(refusal);
    expect(refusal).not.toHaveProperty("operation");
    expect(await scripted.count("fs/remove")).toBe(0);
    expect(await scripted.count("fs/copy")).toBe(0);
  });
});
