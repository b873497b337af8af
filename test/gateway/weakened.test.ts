import { afterEach, describe, expect, test, vi } from "vitest";
import { ORIGIN, TOKEN, Watched } from "../support/gateway.ts";
import { knock } from "../support/upgrade-request.ts";
import { DOORS } from "./refused-requests.ts";

type Checks = typeof import("../../src/gateway/checks.ts");

const CHECKS = "../../src/gateway/checks.ts";
const beginsWith = (whole: string, part: string): boolean => part !== "" && whole.startsWith(part);

/** The names of the doors that stand open when some checks are replaced. */
async function openDoors(weakened: Partial<Checks>): Promise<string[]> {
  vi.doMock(CHECKS, async (original) => ({ ...(await original<Checks>()), ...weakened }));
  const { createGateway } = await import("../../src/gateway/gateway.ts");
  const upstream = new Watched({ reconnectable: true, connect: () => Promise.reject(new Error("not here")) });
  const gateway = createGateway({ upstream, allowedOrigins: [ORIGIN], authorize: { token: TOKEN } });
  const port = Number(new URL((await gateway.listen()).url).port);
  const answers = await Promise.all(
    DOORS.map(async ([name, , door]) => [name, await knock(port, door)] as const),
  );
  await gateway.close();
  const open = answers.filter(([, { status }]) => status === 101).map(([name]) => name);
  expect(upstream.dials).toBe(open.length);
  return open;
}

afterEach(() => {
  vi.doUnmock(CHECKS);
  vi.resetModules();
});

describe("the table of hostile doors", () => {
  test("finds none open as it is", async () => {
    expect(await openDoors({})).toEqual([]);
  });

  test.each<[string, Partial<Checks>]>([
    [
      "takes an origin that begins with an allowed one",
      {
        isAllowedOrigin: (origins, allowed) => allowed.some((one) => beginsWith(origins[0] ?? "", one)),
      },
    ],
    [
      "takes a part of an allowed origin",
      {
        isAllowedOrigin: (origins, allowed) =>
          origins.length === 1 && allowed.join().includes(origins[0] || "-"),
      },
    ],
    [
      "takes an origin that ends with an allowed name",
      {
        isAllowedOrigin: (origins) => origins.length === 1 && (origins[0] ?? "").endsWith("ide.example"),
      },
    ],
    [
      "takes an origin in any case",
      {
        isAllowedOrigin: (origins, allowed) =>
          origins.length === 1 && allowed.includes(String(origins[0]).toLowerCase()),
      },
    ],
    [
      "looks at one of two origins only",
      {
        isAllowedOrigin: (origins, allowed) => allowed.includes(String(origins.at(-1))),
      },
    ],
    [
      "takes a request without an origin",
      {
        isAllowedOrigin: (origins, allowed) =>
          origins.length === 0 || (origins.length === 1 && allowed.includes(String(origins[0]))),
      },
    ],
    ["takes any host", { isAllowedHost: () => true }],
    [
      "takes a host that begins with an allowed one",
      {
        isAllowedHost: (hosts, allowed) =>
          hosts.length === 1 && allowed.some((one) => beginsWith(String(hosts[0]), one)),
      },
    ],
    ["takes the beginning of the token", { isSameToken: (offered, token) => beginsWith(token, offered) }],
    ["takes any token", { isSameToken: () => true }],
  ])("finds a gateway that %s", async (_, weakened) => {
    expect(await openDoors(weakened)).not.toEqual([]);
  });
});
