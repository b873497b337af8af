import { once } from "node:events";
import { createServer } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  ExecServerClient,
  type NetworkDecision,
  type NetworkOptions,
  type NetworkPolicyHandler,
  type NetworkPolicyRequest,
  type SandboxContext,
  type StartOptions,
  webSocket,
} from "../../src/index.ts";
import { deferred } from "../../src/internal/deferred.ts";
import { ExecServer } from "../support/exec-server.ts";
import { failureOf } from "../support/failure.ts";
import { scriptedProcess } from "../support/scripted-process.ts";

const SANDBOX: SandboxContext = {
  permissions: { type: "managed", file_system: { type: "unrestricted" }, network: "restricted" },
};
/** Sends also loopback addresses through the proxy. */
const THROUGH_PROXY = "export NO_PROXY= no_proxy= npm_config_noproxy= NPM_CONFIG_NOPROXY=;";

/** An origin on loopback: two hosts, `localhost` and `127.0.0.1`. */
const origin = createServer((request, response) => {
  seen.push(`${request.method} ${request.url}`);
  response.end(`origin saw ${request.method}`);
});
const seen: string[] = [];
let port = 0;
let server: ExecServer;
let client: ExecServerClient;
let decide: NetworkPolicyHandler;
const asked: NetworkPolicyRequest[] = [];

beforeAll(async () => {
  origin.listen(0, "127.0.0.1");
  await once(origin, "listening");
  port = (origin.address() as { port: number }).port;
  server = await ExecServer.start();
  client = await ExecServerClient.connect({
    transport: webSocket(server.url),
    onNetworkPolicyRequest(request) {
      asked.push(request);
      return decide(request);
    },
  });
});

afterAll(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
  origin.close();
});

beforeEach(() => {
  decide = () => "allow";
  asked.length = 0;
  seen.length = 0;
});

/** Runs a script behind the proxy, and collects the decisions. */
async function sh(
  script: string,
  network: NetworkOptions = {},
  options: Pick<StartOptions, "sandbox" | "tty" | "env"> = {},
) {
  const decisions: NetworkDecision[] = [];
  const result = await client.run(["bash", "-c", `${THROUGH_PROXY} ${script}`], {
    reject: false,
    ...options,
    network: { allowLocalBinding: true, onDecision: (decision) => decisions.push(decision), ...network },
  });
  return { ...result, decisions };
}
const curl = (path: string, host = "localhost"): string => `curl -sS -m 20 http://${host}:${port}${path}`;

describe("a process with network", () => {
  it("reaches the hosts that the handler allows and no others, and every decision is reported", async () => {
    decide = ({ host }) => (host === "localhost" ? "allow" : "deny");
    const { stdout, decisions } = await sh(`${curl("/a")}; ${curl("/b", "127.0.0.1")}`);
    expect(stdout).toMatch(/^origin saw GET\{"status":"blocked"/);
    expect(seen).toEqual(["GET /a"]);
    expect(asked).toEqual([
      { processId: expect.any(String), protocol: "http", host: "localhost", port },
      { processId: expect.any(String), protocol: "http", host: "127.0.0.1", port },
    ]);
    const common = { source: "decider", protocol: "http", port, method: "GET", reason: "not_allowed" };
    expect(decisions).toEqual([
      expect.objectContaining({ ...common, decision: "allow", host: "localhost", policyOverride: true }),
      expect.objectContaining({ ...common, decision: "deny", host: "127.0.0.1", policyOverride: false }),
    ]);
    expect(decisions[0]?.processId).toBe(asked[0]?.processId);
  });

  it("reaches no local address by default, which the server decides without asking", async () => {
    const { decisions } = await sh(curl("/"), { allowLocalBinding: false });
    expect([asked, seen]).toEqual([[], []]);
    expect(decisions).toMatchObject([{ decision: "deny", source: "baseline_policy" }]);
  });

  it("may only read in the mode limited", async () => {
    const { decisions } = await sh(`${curl("/get")}; ${curl("/post")} -d x`, { mode: "limited" });
    expect(seen).toEqual(["GET /get"]);
    expect(decisions.at(-1)).toMatchObject({ decision: "deny", reason: "method_not_allowed" });
  });

  it("is asked about for each of many requests at once", async () => {
    const all = deferred<void>();
    decide = async ({ port }) => {
      if (asked.length === 6) all.resolve();
      await all.promise;
      return port > 0 ? "allow" : "deny";
    };
    const script = `for i in 1 2 3 4 5 6; do ${curl("/$i")} & done; wait`;
    const { decisions } = await sh(script);
    expect([...seen].sort()).toEqual([1, 2, 3, 4, 5, 6].map((path) => `GET /${path}`));
    expect(decisions).toHaveLength(6);
  });

  it.each<[string, NetworkPolicyHandler]>([
    ["throws", () => Promise.reject(new Error("no idea"))],
    ["hangs", () => new Promise(() => {})],
  ])("is denied what the handler does not decide because it %s", async (_, handler) => {
    decide = handler;
    const { stdout, decisions } = await sh(curl("/"), { decisionTimeoutMs: 300 });
    expect(stdout).toContain('"status":"blocked"');
    expect(decisions).toMatchObject([{ decision: "deny", source: "decider" }]);
    expect(seen).toEqual([]);
    decide = () => "allow";
    expect((await sh(curl("/next"))).stdout).toBe("origin saw GET");
  });

  it("is denied everything without a handler", async () => {
    await using other = await ExecServerClient.connect({ transport: webSocket(server.url) });
    const network = { allowLocalBinding: true };
    const { stdout } = await other.run(["bash", "-c", `${THROUGH_PROXY} ${curl("/")}`], { network });
    expect(stdout).toContain('"status":"blocked"');
    expect(seen).toEqual([]);
  });

  it("is not harmed by an onDecision that throws or rejects", async () => {
    const onDecision = async () => {
      throw new Error("the log is full");
    };
    expect((await sh(curl("/"), { onDecision })).stdout).toBe("origin saw GET");
  });

  it("has a terminal with a size, too", async () => {
    const { stdout } = await sh(`${curl("/")}; stty size`, {}, { tty: { rows: 7, cols: 33 } });
    expect(stdout).toContain("origin saw GET7 33");
  });

  it("is asked about for what git, npm and SOCKS clients reach", async () => {
    const url = `http://localhost:${port}`;
    await sh(
      `git ls-remote ${url}/repository.git; npm view package --registry ${url}/npm/ --loglevel silent; ` +
        `curl -sS -m 20 -x $ALL_PROXY ${url}/socks; curl -sS -m 20 -p ${url}/tunnel`,
    );
    const reached = [
      "/repository.git/info/refs?service=git-upload-pack",
      "/npm/package",
      "/socks",
      "/tunnel",
    ];
    expect(seen).toEqual(expect.arrayContaining(reached.map((path) => `GET ${path}`)));
    const protocols = new Set(asked.map(({ protocol }) => protocol));
    expect([...protocols]).toEqual(["http", "socks5_tcp", "https_connect"]);
  });
});

describe("a sandbox that restricts the network", () => {
  const DIRECT: readonly [string, string][] = [
    [
      "without the proxy's variables",
      `env -u http_proxy -u HTTP_PROXY -u ALL_PROXY -u all_proxy curl -sS -m 5`,
    ],
    ["with --noproxy", `curl -sS -m 5 --noproxy '*'`],
  ];

  it.each(DIRECT)("is no way around the handler for curl %s", async (_, program) => {
    const { decisions, stdout } = await sh(
      `${program} http://localhost:${port}/direct`,
      {},
      { sandbox: SANDBOX },
    );
    expect([stdout, seen, asked, decisions]).toEqual(["", [], [], []]);
    await sh(`${program} http://localhost:${port}/open`);
    expect(seen).toEqual(["GET /open"]);
  });

  it.each<[string, string]>([
    ["a raw socket", `exec 3<>/dev/tcp/127.0.0.1/${"$PORT"}`],
    ["Node's fetch", `"$NODE" -e 'fetch("http://127.0.0.1:"+process.env.PORT).catch(()=>process.exit(3))'`],
    ["another network namespace", `nsenter -t 1 -n curl -sS -m 5 http://localhost:$PORT/`],
  ])("is no way around the handler for %s", async (_, script) => {
    const env = { PORT: String(port), NODE: process.execPath, NODE_USE_ENV_PROXY: "0" };
    decide = () => "deny";
    const { exitCode } = await sh(script, {}, { sandbox: SANDBOX, env });
    expect(exitCode).not.toBe(0);
    expect(seen).toEqual([]);
  });

  it("lets the process use the proxy", async () => {
    decide = ({ host }) => (host === "localhost" ? "allow" : "deny");
    const script = `${curl("/a")}; ${curl("/b", "127.0.0.1")}`;
    const { decisions } = await sh(script, {}, { sandbox: SANDBOX });
    expect(seen).toEqual(["GET /a"]);
    expect(decisions.map(({ decision }) => decision)).toEqual(["allow", "deny"]);
  });

  it("without enforce leaves the process no network at all", async () => {
    const { stdout } = await sh(curl("/"), { enforce: false }, { sandbox: SANDBOX });
    expect([stdout, seen, asked]).toEqual(["", [], []]);
  });
});

describe("network", () => {
  const external: SandboxContext = { permissions: { type: "external", network: "restricted" } };
  it.each<[string, object, SandboxContext | undefined, object]>([
    ["{}", {}, undefined, { mode: "full", allowLocalBinding: false, ms: 10_000, enforced: false }],
    [
      "all options",
      { mode: "limited", allowLocalBinding: true, decisionTimeoutMs: 5, enforce: true },
      SANDBOX,
      {
        mode: "limited",
        allowLocalBinding: true,
        ms: 5,
        enforced: true,
      },
    ],
    ["a sandbox", {}, external, { mode: "full", allowLocalBinding: false, ms: 10_000, enforced: true }],
  ])("is sent with its defaults: %s", async (_, network, sandbox, expected) => {
    await using scripted = await scriptedProcess({ network, sandbox });
    const { params } = await scripted.connection.request("process/start");
    const { proxy, policyDecisionTimeoutMs: ms } = params.networkProxy ?? {};
    expect({ ...proxy, ms, enforced: params.enforceManagedNetwork }).toMatchObject(expected);
  });

  it("is not sent if it is not given", async () => {
    await using scripted = await scriptedProcess({ sandbox: SANDBOX });
    const { params } = await scripted.connection.request("process/start");
    expect(Object.keys(params)).not.toContain("networkProxy");
    expect(Object.keys(params)).not.toContain("enforceManagedNetwork");
  });

  it.each<[string, object]>([
    ["an unknown option", { network: { proxy: true } }],
    ["an unknown mode", { network: { mode: "none" } }],
    ["a decision timeout of 0", { network: { decisionTimeoutMs: 0 } }],
    ["enforce without a sandbox", { network: { enforce: true } }],
    [
      "enforce with a sandbox that leaves the network open",
      { network: { enforce: true }, sandbox: { permissions: { type: "disabled" } } },
    ],
  ])("refuses %s", async (_, options) => {
    expect(await failureOf(client.run(["true"], options))).toMatchObject({
      code: "ERR_INVALID_ARGUMENT",
      message: expect.stringMatching(/^run\(\): network/),
    });
  });

  it("fails only its process by a decision that is malformed", async () => {
    const decisions: NetworkDecision[] = [];
    await using t = await scriptedProcess({
      network: { onDecision: (decision) => decisions.push(decision) },
    });
    t.connection.notify("network/policyDecision", { processId: "other", decision: 1 });
    const decision = { processId: "p", decision: "allow", protocol: "http", host: "a", port: 1, more: true };
    t.connection.notify("network/policyDecision", decision);
    t.connection.notify("network/policyDecision", { ...decision, port: "80" });
    expect(await failureOf(t.process.exited)).toMatchObject({ code: "ERR_PROTOCOL" });
    expect(decisions).toEqual([decision]);
    expect(t.client.isDisconnected).toBe(false);
  });
});
