import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { NetworkDecision, SandboxContext, ServerFeature } from "../../src/index.ts";
import type { Stage } from "./stage.ts";

/** How a feature is checked on a server. */
interface Row {
  /** Whether the server itself does it, asked past the guards of the SDK. A rejection means no. */
  raw(stage: Stage): Promise<unknown>;
  /** What the SDK makes of it. */
  use(stage: Stage): Promise<unknown>;
}

const MIB = 1024 * 1024;
const LARGE = Buffer.alloc(3 * MIB + 17, "large ");
const sandbox = null;
const file = (stage: Stage, name: string): string => join(stage.directory, name);
const uri = (stage: Stage, name = ""): string => pathToFileURL(file(stage, name)).href;

const process_ = (stage: Stage, argv: readonly string[]) => ({
  processId: randomUUID(),
  argv,
  cwd: uri(stage),
  envPolicy: { inherit: "all", ignoreDefaultExcludes: false, exclude: [], set: {}, includeOnly: [] } as const,
  env: {},
  tty: false,
  pipeStdin: false,
  arg0: null,
  sandbox,
});

const request = (stage: Stage, path: string) => ({
  method: "GET",
  url: `${stage.origin.url}${path}`,
  headers: [],
  bodyBase64: null,
  redirectPolicy: "stop" as const,
  requestId: randomUUID(),
  streamResponse: false,
});

/** Asks the proxy for a host that does not exist, and prints the status. */
const REACH = `const proxy = new URL(process.env.HTTP_PROXY);
require("node:http").get({ host: proxy.hostname, port: proxy.port, path: "http://example.test/", headers: { host: "example.test" } }, (response) => {
  console.log(response.statusCode);
  response.resume();
});`;

const NO_NETWORK: SandboxContext = {
  permissions: { type: "managed", file_system: { type: "unrestricted" }, network: "restricted" },
};

async function until(condition: () => boolean, ms: number): Promise<boolean> {
  const end = performance.now() + ms;
  while (!condition() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
  return condition();
}

/** One row for each feature of the table. */
export const ROWS: Readonly<Record<ServerFeature, Row>> = {
  files: {
    raw: ({ client, ...stage }) =>
      client.call("fs/getMetadata", { path: pathToFileURL(stage.directory).href, sandbox }),
    async use(stage) {
      await stage.client.fs.writeFile(file(stage, "small"), "small");
      assert.equal(await stage.client.fs.readFile(file(stage, "small"), "utf8"), "small");
      assert.deepEqual(await stage.client.fs.readdir(stage.directory), ["small"]);
      await stage.client.fs.rm(file(stage, "small"));
    },
  },
  commands: {
    raw: (stage) => stage.client.call("process/start", process_(stage, ["true"])),
    async use(stage) {
      const { stdout } = await stage.client.run(["pwd"], { cwd: stage.directory });
      assert.equal(stdout, `${stage.directory}\n`);
    },
  },
  readStreams: {
    async raw(stage) {
      writeFileSync(file(stage, "large"), LARGE);
      const handleId = randomUUID().slice(0, 32);
      await stage.client.call("fs/open", { handleId, path: uri(stage, "large"), mode: "read", sandbox });
      const { chunk } = await stage.client.call("fs/readBlock", { handleId, offset: 0, len: 5 });
      await stage.client.call("fs/close", { handleId });
      return chunk === LARGE.subarray(0, 5).toString("base64");
    },
    async use(stage) {
      writeFileSync(file(stage, "large"), LARGE);
      const stream = stage.client.fs.createReadStream(file(stage, "large"));
      assert.ok(LARGE.equals(await new Response(stream).bytes()));
      assert.ok(LARGE.equals(await stage.client.fs.readFile(file(stage, "large"))));
    },
  },
  defaultCwd: {
    raw: async ({ client }) => (await client.call("environment/info", null)).cwd != null,
    async use({ client }) {
      assert.equal((await client.run(["pwd"])).stdout, `${process.cwd()}\n`);
    },
  },
  redirects: {
    raw: async (stage) =>
      (await stage.client.call("http/request", request(stage, "/redirect"))).status === 302,
    async use({ client, origin }) {
      assert.equal((await client.fetch(`${origin.url}/redirect`, { redirect: "manual" })).status, 302);
      const failing = client.fetch(`${origin.url}/redirect`, { redirect: "error" });
      await assert.rejects(failing, TypeError);
    },
  },
  walk: {
    raw: (stage) =>
      stage.client.call("fs/walk", {
        path: uri(stage),
        sandbox,
        options: {
          maxDepth: 1,
          maxDirectories: 10,
          maxEntries: 10,
          followDirectorySymlinks: false,
          pruneHiddenDirectories: false,
        },
      }),
    async use(stage) {
      await stage.client.fs.mkdir(file(stage, "a/b"), { recursive: true });
      const { entries } = await stage.client.fs.walk(file(stage, "a"));
      assert.deepEqual(entries, [{ path: file(stage, "a/b"), kind: "directory" }]);
    },
  },
  status: {
    raw: ({ client }) => client.call("environment/status", null),
    async use({ client }) {
      assert.equal((await client.status()).status, "ready");
    },
  },
  headersFromEnv: {
    async raw(stage) {
      const headers = [{ name: "x-stage", value: "", valueEnvVar: "STAGE_VARIABLE" }];
      await stage.client.call("http/request", { ...request(stage, "/"), headers });
      return stage.origin.header("x-stage")[0] === "from the environment";
    },
    async use({ client, origin }) {
      await client.fetch(origin.url, { headersFromEnv: { "x-stage": "STAGE_VARIABLE" } });
      assert.deepEqual(origin.header("x-stage"), ["from the environment"]);
    },
  },
  networkPolicy: {
    async raw(stage) {
      const { length } = stage.asked;
      const proxy = {
        enabled: true,
        enableSocks5: false,
        enableSocks5Udp: false,
        allowUpstreamProxy: false,
        dangerouslyAllowAllUnixSockets: false,
        mode: "full" as const,
        // Without it, servers before 0.163 deny a name that does not resolve without asking.
        allowLocalBinding: true,
      };
      await stage.client.call("process/start", {
        ...process_(stage, [process.execPath, "-e", REACH]),
        networkProxy: { proxy, policyDecisionTimeoutMs: 5_000 },
      });
      return await until(() => stage.asked.length > length, 5_000);
    },
    async use(stage) {
      const decisions: NetworkDecision[] = [];
      const network = {
        allowLocalBinding: true,
        onDecision: (decision: NetworkDecision) => void decisions.push(decision),
      };
      for (const sandbox of [undefined, NO_NETWORK]) {
        const options = { cwd: stage.directory, network, sandbox };
        const { stdout } = await stage.client.run([process.execPath, "-e", REACH], options);
        assert.equal(stdout, "403\n");
        assert.equal(stage.asked.at(-1)?.host, "example.test");
        assert.equal(decisions.at(-1)?.decision, "deny");
      }
      const { length } = stage.origin.requests;
      const direct = `require("node:http").get("${stage.origin.url}")`;
      const options = { cwd: stage.directory, network, sandbox: NO_NETWORK, reject: false };
      const { exitCode, stderr } = await stage.client.run([process.execPath, "-e", direct], options);
      assert.match(stderr, /ECONNREFUSED|ENETUNREACH|EPERM/);
      assert.notEqual(exitCode, 0);
      assert.equal(stage.origin.requests.length, length);
    },
  },
  terminalSize: {
    raw: async ({ client }) => (await client.call("environment/info", null)).platformOs != null,
    async use(stage) {
      const tty = { rows: 11, cols: 44 };
      const { stdout } = await stage.client.run(["stty", "size"], { cwd: stage.directory, tty });
      assert.equal(stdout.trim(), "11 44");
    },
  },
  scripts: {
    raw: async ({ client }) => (await client.call("environment/info", null)).platformOs != null,
    async use(stage) {
      await stage.client.fs.writeFile(file(stage, "before"), "text");
      await stage.client.fs.rename(file(stage, "before"), file(stage, "after"));
      assert.equal(await stage.client.fs.readFile(file(stage, "after"), "utf8"), "text");
      await stage.client.fs.rm(file(stage, "after"));
    },
  },
  writeStreams: {
    async raw(stage) {
      const handleId = randomUUID().slice(0, 32);
      await stage.client.call("fs/open", { handleId, path: uri(stage, "new"), mode: "replace", sandbox });
      const chunk = Buffer.from("new").toString("base64");
      await stage.client.call("fs/writeBlock", { handleId, offset: 0, chunk });
      return await stage.client.call("fs/close", { handleId });
    },
    async use(stage) {
      const { fs } = stage.client;
      await fs.writeFile(file(stage, "huge"), new Uint8Array(20 * MIB));
      await fs.createReadStream(file(stage, "huge")).pipeTo(fs.createWriteStream(file(stage, "copy")));
      assert.equal((await fs.stat(file(stage, "copy"))).size, 20 * MIB);
    },
  },
  watch: {
    async raw(stage) {
      const params = { watchId: 2 ** 31, missing: [uri(stage, "later")] };
      const { watching } = await stage.client.call("fs/watchMissing", params);
      await stage.client.call("fs/watchMissing", { ...params, missing: [] });
      return watching;
    },
    async use(stage) {
      const { fs } = stage.client;
      await Promise.all([fs.whenAppears([file(stage, "later")]), fs.writeFile(file(stage, "later"), "now")]);
    },
  },
};
