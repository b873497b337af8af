import { afterEach, describe, expect, test, vi } from "vitest";
import { ORIGIN, TOKEN, unreachable } from "../support/gateway.ts";
import { requestRefusal } from "../support/upgrade-request.ts";
import { REFUSED_REQUESTS } from "./refused-requests.ts";

type AdmissionModule = typeof import("../../src/gateway/admission.ts");
type Checks = AdmissionModule["CHECKS"];

const ADMISSION = "../../src/gateway/admission.ts";
const TOKENS = "../../src/gateway/tokens.ts";
/** How an admitted page is closed, because its exec-server can't be reached. */
const UNREACHABLE = 4002;
const beginsWith = (whole: string, part: string): boolean => part !== "" && whole.startsWith(part);

type IsToken = (offered: string) => boolean;

/** The names of the refused requests that a gateway with some weakened checks admits. */
async function admittedBy(weakened: Partial<Checks>, isToken?: IsToken): Promise<string[]> {
  vi.doMock(ADMISSION, async (original) => {
    const module = await original<AdmissionModule>();
    class WeakenedAdmission extends module.Admission {
      constructor(...[options, ownHosts]: ConstructorParameters<AdmissionModule["Admission"]>) {
        super(options, ownHosts, null, { ...module.CHECKS, ...weakened });
      }
    }
    return { ...module, Admission: WeakenedAdmission };
  });
  if (isToken) {
    vi.doMock(TOKENS, async (original) => {
      const module = await original<typeof import("../../src/gateway/tokens.ts")>();
      class WeakenedTokens extends module.TokenList {
        override find(offered: readonly string[]) {
          return isToken && offered.some(isToken) ? {} : undefined;
        }
      }
      return { ...module, TokenList: WeakenedTokens };
    });
  }
  const { createGateway } = await import("../../src/gateway/gateway.ts");
  const upstream = unreachable();
  const gateway = createGateway({ upstream, allowedOrigins: [ORIGIN], authorize: { token: TOKEN } });
  const port = Number(new URL((await gateway.listen()).url).port);
  const responses = await Promise.all(
    REFUSED_REQUESTS.map(async ([name, , request]) => [name, await requestRefusal(port, request)] as const),
  );
  await gateway.close();
  const admitted = responses.filter(([, { status }]) => status === UNREACHABLE).map(([name]) => name);
  expect(upstream.dials).toBe(admitted.length);
  return admitted;
}

afterEach(() => {
  vi.doUnmock(ADMISSION);
  vi.doUnmock(TOKENS);
  vi.resetModules();
});

describe("the table of refused requests", () => {
  test("contains none that the unchanged checks admit", async () => {
    expect(await admittedBy({})).toEqual([]);
  });

  test.each<[string, Partial<Checks>]>([
    [
      "accepts an origin that begins with an allowed one",
      {
        isAllowedOrigin: (origins, allowed) => allowed.some((one) => beginsWith(origins[0] ?? "", one)),
      },
    ],
    [
      "accepts a part of an allowed origin",
      {
        isAllowedOrigin: (origins, allowed) =>
          origins.length === 1 && allowed.join().includes(origins[0] || "-"),
      },
    ],
    [
      "accepts an origin that ends with an allowed name",
      {
        isAllowedOrigin: (origins) => origins.length === 1 && (origins[0] ?? "").endsWith("ide.example"),
      },
    ],
    [
      "ignores the case of an origin",
      {
        isAllowedOrigin: (origins, allowed) =>
          origins.length === 1 && allowed.includes(String(origins[0]).toLowerCase()),
      },
    ],
    [
      "checks only one of two origins",
      {
        isAllowedOrigin: (origins, allowed) => allowed.includes(String(origins.at(-1))),
      },
    ],
    [
      "accepts a request without an origin",
      {
        isAllowedOrigin: (origins, allowed) =>
          origins.length === 0 || (origins.length === 1 && allowed.includes(String(origins[0]))),
      },
    ],
    ["accepts any host", { isAllowedHost: () => true }],
    [
      "accepts a host that begins with an allowed one",
      {
        isAllowedHost: (hosts, allowed) =>
          hosts.length === 1 && allowed.some((one) => beginsWith(String(hosts[0]), one)),
      },
    ],
  ])("detects a gateway that %s", async (_, weakened) => {
    expect(await admittedBy(weakened)).not.toEqual([]);
  });

  test.each<[string, IsToken]>([
    ["accepts the beginning of the token", (offered) => beginsWith(TOKEN, offered)],
    ["accepts any token", () => true],
  ])("detects a gateway that %s", async (_, isToken) => {
    expect(await admittedBy({}, isToken)).not.toEqual([]);
  });
});
