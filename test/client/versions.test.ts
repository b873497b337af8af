import { describe, expect, it } from "vitest";
import { ExecServerClient, LazyExecServerClient } from "../../src/index.ts";
import { FEATURES, type ServerFeature } from "../../src/protocol/features.ts";
import { DEFAULT_VERSION } from "../../src/testing/profile.ts";
import { TestServer } from "../../src/testing.ts";
import { CODEX_VERSION } from "../support/exec-server.ts";
import { failureOf } from "../support/failure.ts";
import { realClient } from "../support/real-client.ts";

const LARGE = new Uint8Array(5 * 2 ** 20);
const FEATURE_NAMES = Object.keys(FEATURES) as ServerFeature[];
/** The features of the table from version 0.`minor` on. */
const featuresOf = (minor: number) => FEATURE_NAMES.filter((feature) => FEATURES[feature].since <= minor);

/** A client of a test server of one version. */
async function clientOf(version: string) {
  const server = new TestServer({ version, files: { "/work/large": LARGE } });
  server.onCommand(["true"], {});
  const client = new LazyExecServerClient({ transport: server.transport });
  return {
    server,
    client,
    methods: () => server.connections.flatMap(({ received }) => received.map(({ method }) => method)),
    async [Symbol.asyncDispose]() {
      await client.close();
      server.close();
    },
  };
}

describe("supports()", () => {
  it.each([140, 142, 143, 145, 150, 151, 155, 162, 166, 171])(
    "agrees with the table on a server of version 0.%i",
    async (minor) => {
      await using t = await clientOf(`0.${minor}.0`);
      const supported: ServerFeature[] = [];
      for (const feature of FEATURE_NAMES) if (await t.client.supports(feature)) supported.push(feature);
      // The answers of 0.141 are those of 0.140.
      expect(supported).toEqual(featuresOf(minor));
    },
  );

  it("has everything of the table on the installed server, whose version the test server imitates", async () => {
    await using real = await realClient();
    expect(FEATURE_NAMES.filter((feature) => !real.client.supports(feature))).toEqual([]);
    expect(real.client.serverVersion).toBe(CODEX_VERSION);
    expect(DEFAULT_VERSION).toBe(CODEX_VERSION);
  });

  it("refuses an unknown feature, on both clients", async () => {
    await using t = await clientOf("0.171.0");
    const client = await t.client.get();
    expect(() => client.supports("teleport" as never)).toThrow(/one of files, commands/);
    await expect(t.client.supports("teleport" as never)).rejects.toMatchObject({
      code: "ERR_INVALID_ARGUMENT",
    });
  });
});

describe("a call that the server can't do", () => {
  const origin = "http://localhost/";
  it.each<[ServerFeature, string, (client: LazyExecServerClient) => Promise<unknown>]>([
    ["commands", "0.140.0", (client) => client.run(["true"])],
    ["defaultCwd", "0.142.0", (client) => client.run(["true"])],
    ["redirects", "0.142.0", (client) => client.fetch(origin, { redirect: "manual" })],
    ["redirects", "0.142.0", (client) => client.fetch(origin, { redirect: "error" })],
    ["headersFromEnv", "0.145.0", (client) => client.fetch(origin, { headersFromEnv: { a: "B" } })],
    ["networkPolicy", "0.145.0", (client) => client.run(["true"], { network: {} })],
    ["terminalSize", "0.150.0", (client) => client.start(["true"], { tty: { rows: 1, cols: 1 } })],
    ["writeStreams", "0.161.0", (client) => client.fs.writeFile("/work/big", new Uint8Array(12 * 2 ** 20))],
    [
      "writeStreams",
      "0.161.0",
      (client) => client.fs.createWriteStream("/work/new").getWriter().write(new Uint8Array(1)),
    ],
    ["watch", "0.165.0", (client) => client.fs.whenAppears(["/work/later"])],
  ])("is refused unsent: %s on %s", async (feature, version, call) => {
    await using t = await clientOf(version);
    expect(await failureOf(call(t.client))).toMatchObject({
      code: "ERR_UNSUPPORTED",
      feature,
      requiredVersion: `0.${FEATURES[feature].since}.0`,
    });
    const asked = ["initialize", "initialized", "environment/info", "fs/open", "process/signal"];
    expect(t.methods().filter((method) => !asked.includes(method ?? ""))).toEqual([]);
  });

  it.each<[ServerFeature, string, (client: LazyExecServerClient) => Promise<unknown>]>([
    ["walk", "0.142.0", (client) => client.fs.walk("/work")],
    ["status", "0.143.0", (client) => client.status()],
  ])("is refused unsent as soon as the old server is known: %s on %s", async (feature, version, call) => {
    await using t = await clientOf(version);
    expect(await failureOf(call(t.client))).toMatchObject({ kind: "unsupported" });
    await t.client.supports(feature);
    const before = t.methods().length;
    expect(await failureOf(call(t.client))).toMatchObject({ code: "ERR_UNSUPPORTED", feature });
    expect(t.methods()).toHaveLength(before);
  });

  it("is not mistaken for a missing program below 0.141", async () => {
    await using t = await clientOf("0.140.0");
    expect(await failureOf(t.client.run(["true"], { cwd: "/work" }))).toMatchObject({
      code: "ERR_UNSUPPORTED",
      feature: "commands",
    });
  });
});

describe("an old server", () => {
  it("of version 0.143 is asked for its working directory", async () => {
    await using t = await clientOf("0.143.0");
    await t.client.run(["true"]);
    expect(t.server.requests("process/start")[0]?.params.cwd).toBe("file:///work");
  });

  it("without blocks sends a large file whole", async () => {
    await using t = await clientOf("0.140.0");
    expect(await t.client.fs.readFile("/work/large")).toHaveLength(LARGE.length);
  });

  it("that answers nothing but the handshake is connected to without a further request", async () => {
    await using server = new TestServer({ version: "0.142.0", unhandled: "ignore" });
    await using client = await ExecServerClient.connect({ transport: server.transport });
    expect([client.serverVersion, client.supports("commands")]).toEqual([undefined, false]);
    const connection = await server.connection();
    expect(connection.received.map(({ method }) => method)).toEqual(["initialize", "initialized"]);
  });
});

describe("the version of the server", () => {
  it("is in errors of calls and of files, and in the timeline", async () => {
    await using t = await clientOf("0.158.0");
    const serverVersion = "0.158.0";
    for (const call of [
      t.client.fs.readFile("/missing"),
      t.client.run(["unknown"]),
      t.client.call("fs/nothing"),
      t.client.fetch("http://localhost/"),
      t.client.fs.createReadStream("/missing").getReader().read(),
    ]) {
      expect(await failureOf(call)).toMatchObject({ code: "ERR_SERVER", serverVersion });
    }
    expect(t.client.timeline.at(-1)).toMatchObject({ state: "connected", serverVersion });
    const client = await t.client.get();
    expect(client.serverVersion).toBe(serverVersion);
    (await t.server.connection()).drop();
    expect(await client.disconnected).toMatchObject({ code: "ERR_DISCONNECTED", serverVersion });
  });
});
