import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { failureOf } from "../support/failure.ts";
import { relayedFiles } from "../support/remote-files.ts";

let relayed: Awaited<ReturnType<typeof relayedFiles>>;
beforeAll(async () => {
  relayed = await relayedFiles();
});
beforeEach(() => relayed.sh("find . -mindepth 1 -delete"));
afterAll(() => relayed[Symbol.asyncDispose]());

/** Starts a wait. Resolves when the server watches, with the wait and whether it has settled. */
async function startWait(names: readonly string[], signal?: AbortSignal) {
  const { fs, relay, client, path } = relayed;
  const before = relay.count("fs/watchMissing");
  const wait = {
    settled: false,
    done: fs.whenAppears(
      names.map((name) => path(name)),
      { signal },
    ),
  };
  const end = (): void => {
    wait.settled = true;
  };
  wait.done.then(end, end);
  await relay.request("fs/watchMissing", before + 1);
  await client.status();
  return wait;
}

describe("whenAppears()", () => {
  it("resolves when one of the paths appears, and not before", async () => {
    const wait = await startWait(["a", "b c#"]);
    await relayed.sh("touch other");
    await relayed.client.status();
    expect(wait.settled).toBe(false);
    await relayed.sh("touch 'b c#'");
    await wait.done;
  });

  it("does not resolve when only a parent directory appears", async () => {
    const wait = await startWait(["x/y/z"]);
    const before = relayed.relay.count("fs/watchMissing");
    await relayed.sh("mkdir x");
    // The server reports the directory, so the client sends the list again.
    await relayed.relay.request("fs/watchMissing", before + 1);
    await relayed.client.status();
    expect(wait.settled).toBe(false);
    await relayed.fs.mkdir(relayed.path("x/y"));
    await relayed.fs.writeFile(relayed.path("x/y/z"), "");
    await wait.done;
  });

  it("resolves at once when a path exists, also a link without a target", async () => {
    await relayed.sh("touch there; ln -s none link");
    await relayed.fs.whenAppears([relayed.path("missing"), relayed.path("there")]);
    await relayed.fs.whenAppears([relayed.path("link")]);
  });

  it("rejects when a path can never appear", async () => {
    await relayed.sh("touch file");
    expect(await failureOf(relayed.fs.whenAppears([relayed.path("file/below")]))).toMatchObject({
      kind: "not-a-directory",
    });
    expect(await failureOf(relayed.fs.whenAppears([relayed.path("missing"), "C:\\x"]))).toMatchObject({
      kind: "invalid",
    });
  });

  it("keeps many waits apart, although the server has one list per connection", async () => {
    const waits = await Promise.all(Array.from({ length: 40 }, (_, i) => startWait([`f${i}`, `g${i}`])));
    for (const i of [7, 3, 38]) {
      await relayed.sh(`touch f${i}`);
      await waits[i]?.done;
    }
    expect(waits.flatMap(({ settled }, i) => (settled ? [i] : []))).toEqual([3, 7, 38]);
    const impossible = relayed.fs.whenAppears([relayed.path("f7/below")]);
    expect(await failureOf(impossible)).toMatchObject({ kind: "not-a-directory" });
    await relayed.fs.whenAppears([relayed.path("f3")]);
    await relayed.sh("for i in $(seq 0 39); do touch g$i; done");
    await Promise.all(waits.map(({ done }) => done));
  });

  it("rejects with the reason when its signal aborts, which ends the watch on the server", async () => {
    const controller = new AbortController();
    const wait = await startWait(["a"], controller.signal);
    const before = relayed.relay.count("fs/watchMissing");
    const reason = new Error("aborted");
    controller.abort(reason);
    expect(await failureOf(wait.done)).toBe(reason);
    const end = await relayed.relay.request("fs/watchMissing", before + 1);
    expect(end.params).toMatchObject({ missing: [] });
  });

  it("keeps other waits pending when one is aborted", async () => {
    const controller = new AbortController();
    const [wait, other] = [await startWait(["a"], controller.signal), await startWait(["b"])];
    controller.abort(new Error("aborted"));
    await failureOf(wait.done);
    const { relay, path } = relayed;
    const list = () =>
      relay.received.filter(({ method }) => method === "fs/watchMissing").at(-1)?.params?.["missing"];
    await relay.until(() => String(list()) === `file://${path("b")}`);
    await relayed.sh("touch a b");
    await other.done;
  });

  it("sends nothing when its signal is already aborted", async () => {
    const before = relayed.relay.count("fs/watchMissing");
    const wait = relayed.fs.whenAppears([relayed.path("a")], { signal: AbortSignal.abort("no") });
    expect(await wait.catch((reason: unknown) => reason)).toBe("no");
    await relayed.client.status();
    expect(relayed.relay.count("fs/watchMissing")).toBe(before);
  });

  it.each([
    ["has the wrong shape", { result: { watching: "yes" } }, { code: "ERR_PROTOCOL" }],
    [
      "is that the method is unknown",
      { error: { code: -32601, message: "unknown method" } },
      { kind: "unsupported" },
    ],
  ])("rejects alone when the server's response %s", async (_, answer, expected) => {
    relayed.relay.intercept = ({ method }) => (method === "fs/watchMissing" ? answer : undefined);
    expect(await failureOf(relayed.fs.whenAppears([relayed.path("a")]))).toMatchObject(expected);
    relayed.relay.intercept = () => undefined;
    const wait = await startWait(["a"]);
    await relayed.sh("touch a");
    await wait.done;
  });

  it("sends the list of the others again when a wait for the same path is refused", async () => {
    const wait = await startWait(["a"]);
    const { fs, relay, path } = relayed;
    let refused = false;
    relay.intercept = ({ method }) => {
      if (method !== "fs/watchMissing" || refused) return undefined;
      refused = true;
      return { error: { code: -32000, message: "refused" } };
    };
    const before = relay.count("fs/watchMissing");
    expect(await failureOf(fs.whenAppears([path("a")]))).toMatchObject({ code: "ERR_SERVER" });
    await relay.request("fs/watchMissing", before + 2);
    relay.intercept = () => undefined;
    await relayed.client.status();
    await relayed.sh("touch a");
    await wait.done;
  });

  it("rejects when the connection ends, and when it is closed", async () => {
    for (const [end, code] of [
      [({ server }: typeof relayed) => server.kill(), "ERR_DISCONNECTED"],
      [({ client }: typeof relayed) => client.close(), "ERR_CLOSED"],
    ] as const) {
      await using files = await relayedFiles();
      const { fs, path, relay, client } = files;
      const waits = [fs.whenAppears([path("a")]), fs.whenAppears([path("b")])].map(failureOf);
      await relay.request("fs/watchMissing", 2);
      await client.status();
      await end(files);
      for (const wait of waits) expect(await wait).toMatchObject({ code, sessionId: client.sessionId });
    }
  });
});
