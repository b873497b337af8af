import { expect, test } from "vitest";
import type { GatewayOptions } from "../../src/gateway.ts";
import { RecordingTransport, startGateway } from "../support/gateway.ts";
import { requestUpgrade } from "../support/upgrade-request.ts";

const upstream = (): RecordingTransport =>
  new RecordingTransport({ reconnectable: true, connect: () => Promise.reject(new Error("not here")) });

type Authorize = Extract<GatewayOptions["authorize"], (...args: never) => unknown>;

const REFUSING: readonly (readonly [what: string, authorize: Authorize])[] = [
  ["says no", () => false],
  ["says no later", async () => false],
  [
    "throws",
    () => {
      throw new Error("no such session");
    },
  ],
  ["rejects", () => Promise.reject(new Error("no such session"))],
  ["never answers", () => new Promise(() => {})],
  ["answers with something that is merely true-ish", () => "yes" as unknown as boolean],
];

test.each(REFUSING)("a page is refused with 401 when authorize %s", async (_, authorize) => {
  const watched = upstream();
  await using gateway = await startGateway(watched, { authorize, handshakeTimeoutMs: 300 });
  const { status, text } = await requestUpgrade(gateway.port, {});
  expect(status).toBe(401);
  expect(text).not.toContain("no such session");
  expect(watched.dials).toBe(0);
});

test("authorize sees the request, and is not asked about a page that is refused anyway", async () => {
  const cookies: unknown[] = [];
  const authorize = async ({ headers }: Parameters<Authorize>[0]): Promise<boolean> => {
    cookies.push(headers.cookie);
    return headers.cookie === "session=good";
  };
  await using gateway = await startGateway(upstream(), { authorize });
  const withCookie = (Cookie: string, Origin?: string) =>
    requestUpgrade(gateway.port, {
      headers: { Cookie, "Sec-WebSocket-Protocol": undefined, ...(Origin ? { Origin } : {}) },
    });
  expect((await withCookie("session=good")).status).toBe(101);
  expect((await withCookie("session=bad")).status).toBe(401);
  expect((await withCookie("session=evil", "https://evil.example")).status).toBe(403);
  expect(cookies).toEqual(["session=good", "session=bad"]);
});

test("a page that authorize allows too late is not connected to anything", async () => {
  const watched = upstream();
  let answer!: (yes: boolean) => void;
  let asked!: () => void;
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  await using gateway = await startGateway(watched, {
    authorize: () =>
      new Promise((resolve) => {
        answer = resolve;
        asked();
      }),
    handshakeTimeoutMs: 200,
  });
  const refused = requestUpgrade(gateway.port, {});
  await isAsked;
  expect((await refused).status).toBe(401);
  answer(true);
  expect((await requestUpgrade(gateway.port, {})).status).toBe(401);
  expect(watched.dials).toBe(0);
});
