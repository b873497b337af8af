import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { CLOSE_CODES, type GatewayEvent, type GatewayOptions } from "../../src/gateway.ts";
import { deferred } from "../../src/internal/deferred.ts";
import { AsyncQueue } from "../support/async-queue.ts";
import { ORIGIN, PROTOCOLS, startGateway, unreachable } from "../support/gateway.ts";
import { rawSocket, requestRefusal, requestText } from "../support/upgrade-request.ts";
import { PlainWebSocketServer } from "../support/websocket-server.ts";

type Authorize = Extract<GatewayOptions["authorize"], (...args: never) => unknown>;

const { unauthorized, checkFailed } = CLOSE_CODES;

/** As a class of a session library may be. */
class Member {
  get user(): number {
    return 42;
  }
}

const REFUSALS: readonly (readonly [closeCode: number, what: string, authorize: Authorize])[] = [
  [unauthorized.code, "returns false", () => false],
  [unauthorized.code, "resolves with false", async () => false],
  [
    checkFailed.code,
    "throws",
    () => {
      throw new Error("no such session");
    },
  ],
  [checkFailed.code, "rejects", () => Promise.reject(new Error("no such session"))],
  [checkFailed.code, "never settles", () => new Promise(() => {})],
  [checkFailed.code, "returns undefined", () => undefined as unknown as boolean],
  [checkFailed.code, "returns a truthy value other than true", () => "yes" as unknown as boolean],
  [checkFailed.code, "returns an object without a user", () => ({}) as never],
  [checkFailed.code, "returns an empty user", () => ({ user: "" })],
  [checkFailed.code, "returns a user with another member", () => ({ user: "ada", admin: true }) as never],
  [checkFailed.code, "returns a date that is invalid", () => ({ user: "ada", expiresAt: new Date("x") })],
  [checkFailed.code, "returns a user that is no string, by a getter", () => new Member() as never],
  [checkFailed.code, "returns a limit of 0 pages", () => ({ user: "ada", maxPages: 0 })],
  [
    CLOSE_CODES.expired.code,
    "returns a date that has passed",
    () => ({ user: "ada", expiresAt: new Date(0) }),
  ],
  [
    CLOSE_CODES.expired.code,
    "returns another kind of date that has passed",
    () => ({ user: "ada", expiresAt: { getTime: () => 5 } as Date }),
  ],
];

test.each(REFUSALS)("closes a page with %i when authorize %s", async (closeCode, _, authorize) => {
  const upstream = unreachable();
  await using gateway = await startGateway(upstream, { authorize, handshakeTimeoutMs: 300 });
  const { status, text } = await requestRefusal(gateway.port, {});
  expect(status).toBe(closeCode);
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
    requestRefusal(gateway.port, {
      headers: { Cookie, "Sec-WebSocket-Protocol": undefined, ...(Origin ? { Origin } : {}) },
    });
  expect((await withCookie("session=good")).status).toBe(4002);
  expect((await withCookie("session=bad")).status).toBe(4401);
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
  const refused = requestRefusal(gateway.port, {});
  await called.promise;
  expect((await refused).status).toBe(4500);
  admit(true);
  expect((await requestRefusal(gateway.port, {})).status).toBe(4500);
  expect(upstream.dials).toBe(0);
});

describe("a page that leaves while its check is pending", () => {
  test.each<[string, "close" | "end", (socket: Socket) => void]>([
    ["resets its socket", "close", (socket) => socket.resetAndDestroy()],
    ["ends its socket", "end", (socket) => socket.end()],
  ])("and %s displaces no page of its user, and has an event", async (_, sign, leave) => {
    await using server = await PlainWebSocketServer.start();
    const events = new AsyncQueue<GatewayEvent>();
    const checking = deferred<void>();
    await using gateway = await startGateway(server.url, {
      async authorize({ headers, socket }) {
        if (headers.cookie === "leaves") {
          checking.resolve();
          await new Promise((resolve) => socket.once(sign, resolve));
        }
        return { user: "ada" };
      },
      maxPagesPerUser: 1,
      onEvent: (event) => events.push(event),
    });
    const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
    await server.next();
    for (const type of ["connected", "ready"]) expect(await events.next()).toMatchObject({ type });
    const leaving = await rawSocket(gateway.port);
    leaving.resume().write(requestText(gateway.port, { headers: { Cookie: "leaves" } }));
    await checking.promise;
    leave(leaving);
    expect(await events.next()).toMatchObject({ type: "refused", reason: "page", user: "ada" });
    expect([...gateway.gateway.pages]).toHaveLength(1);
    page.terminate();
  });
});
