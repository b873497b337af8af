import { expect, test } from "vitest";
import type { GatewayOptions } from "../../src/gateway.ts";
import { deferred } from "../../src/internal/deferred.ts";
import { RecordingTransport, startGateway } from "../support/gateway.ts";
import { requestUpgrade } from "../support/upgrade-request.ts";

const unreachable = (): RecordingTransport =>
  new RecordingTransport({ reconnectable: true, connect: () => Promise.reject(new Error("unreachable")) });

type Authorize = Extract<GatewayOptions["authorize"], (...args: never) => unknown>;

const REFUSALS: readonly (readonly [what: string, authorize: Authorize])[] = [
  ["returns false", () => false],
  ["resolves with false", async () => false],
  [
    "throws",
    () => {
      throw new Error("no such session");
    },
  ],
  ["rejects", () => Promise.reject(new Error("no such session"))],
  ["never settles", () => new Promise(() => {})],
  ["returns a truthy value other than true", () => "yes" as unknown as boolean],
];

test.each(REFUSALS)("refuses a page with 401 when authorize %s", async (_, authorize) => {
  const upstream = unreachable();
  await using gateway = await startGateway(upstream, { authorize, handshakeTimeoutMs: 300 });
  const { status, text } = await requestUpgrade(gateway.port, {});
  expect(status).toBe(401);
  expect(text).not.toContain("no such session");
  expect(upstream.dials).toBe(0);
});

test("calls authorize with the request, but not for a request that is refused anyway", async () => {
  const cookies: unknown[] = [];
  const authorize = async ({ headers }: Parameters<Authorize>[0]): Promise<boolean> => {
    cookies.push(headers.cookie);
    return headers.cookie === "session=good";
  };
  await using gateway = await startGateway(unreachable(), { authorize });
  const withCookie = (Cookie: string, Origin?: string) =>
    requestUpgrade(gateway.port, {
      headers: { Cookie, "Sec-WebSocket-Protocol": undefined, ...(Origin ? { Origin } : {}) },
    });
  expect((await withCookie("session=good")).status).toBe(101);
  expect((await withCookie("session=bad")).status).toBe(401);
  expect((await withCookie("session=evil", "https://evil.example")).status).toBe(403);
  expect(cookies).toEqual(["session=good", "session=bad"]);
});

test("dials no upstream for a page that authorize admits after the timeout", async () => {
  const upstream = unreachable();
  const called = deferred<void>();
  let admit!: (isAuthorized: boolean) => void;
  await using gateway = await startGateway(upstream, {
    authorize: () =>
      new Promise((resolve) => {
        admit = resolve;
        called.resolve();
      }),
    handshakeTimeoutMs: 200,
  });
  const refused = requestUpgrade(gateway.port, {});
  await called.promise;
  expect((await refused).status).toBe(401);
  admit(true);
  expect((await requestUpgrade(gateway.port, {})).status).toBe(401);
  expect(upstream.dials).toBe(0);
});
