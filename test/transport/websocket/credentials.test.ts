import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ExecServerClient, LazyExecServerClient, type StateChange } from "../../../src/index.ts";
import { ExecServer } from "../../support/exec-server.ts";
import { failureOf } from "../../support/failure.ts";
import { expectNoneShown } from "../../support/leaks.ts";
import { ENTRIES } from "../harness/entries.ts";

const TOKEN = "right-token-5b1f0c";
const WRONG = "wrong-token-77aa01";
const sha256 = createHash("sha256").update(TOKEN).digest("hex");

let server: ExecServer;

beforeAll(async () => {
  server = await ExecServer.start({ args: ["--ws-auth", "capability-token", "--ws-token-sha256", sha256] });
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

describe.each(ENTRIES)(
  "a real server that requires a token, with webSocket() of the %s",
  (_, makeTransport) => {
    test("accepts a client that sends the token", async () => {
      const transport = makeTransport(server.url, { headers: { authorization: `Bearer ${TOKEN}` } });
      await using client = await ExecServerClient.connect({ transport });
      expect((await client.run(["echo", "in"])).stdout).toBe("in\n");
    });

    test("accepts a token that the target function returns for this connection", async () => {
      const tokens = [WRONG, TOKEN];
      const transport = makeTransport(async () => ({
        url: server.url,
        headers: { authorization: `Bearer ${tokens.shift()}` },
      }));
      await using client = new LazyExecServerClient({ transport });
      expect(await failureOf(client.get())).toMatchObject({ code: "ERR_CONNECT", status: 401 });
      expect(await client.status()).toEqual({ status: "ready" });
    });

    test.each([
      ["no token", {}],
      ["a wrong token", { authorization: `Bearer ${WRONG}` }],
      ["the token with the wrong scheme", { authorization: `Basic ${TOKEN}` }],
    ])("refuses %s with 401, and no error or state holds a credential", async (_what, headers) => {
      const url = `${server.url.replace("://", "://hunter2:hunter3@")}/?token=${TOKEN}&key=hunter4#hunter5`;
      const transport = makeTransport(url, { headers, protocols: "hunter6" });
      await using client = new LazyExecServerClient({ transport });
      const changes: StateChange[] = [];
      client.onStateChange((change) => changes.push(change));
      const error = await failureOf(client.get());
      expect(error).toMatchObject({ code: "ERR_CONNECT", phase: "dial", status: 401, delivery: "not-sent" });
      const secrets = [TOKEN, WRONG, "hunter2", "hunter3", "hunter4", "hunter5", "hunter6"];
      expectNoneShown(error, secrets);
      for (const change of changes) expectNoneShown(change, secrets);
      expectNoneShown(client, secrets);
    });
  },
);
