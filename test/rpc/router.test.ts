import { describe, expect, it } from "vitest";
import { DisconnectedError, ProtocolError } from "../../src/errors/connection.ts";
import { type NotificationSource, Router } from "../../src/rpc/router.ts";

/** A router on a source that the test controls, and a log of what its routes received. */
function setUp() {
  const listeners = new Map<string, (params: unknown) => void>();
  let end!: (failure: DisconnectedError) => void;
  let holds = 0;
  const source: NotificationSource = {
    onNotification: (method, listener) => void listeners.set(method, listener),
    onEnd(listener) {
      end = listener;
    },
    channel: {
      hold: () => {
        holds++;
        return () => void holds--;
      },
    },
  };
  const router = new Router<string, string>(source, "name", "string", {
    "value/changed": (params) => {
      const { value } = params as { value?: unknown };
      return typeof value === "string" ? value : undefined;
    },
  });
  const received: string[] = [];
  const route = (prefix = "") => ({
    accept: (event: string) => void received.push(prefix + event),
    fail: (error: Error) => void received.push(`${prefix}${error.name}: ${error.message}`),
  });
  return {
    router,
    received,
    route,
    emit: (params: unknown) => listeners.get("value/changed")?.(params),
    end,
    holds: () => holds,
  };
}

it("keeps the process alive for each route until it is removed", () => {
  const { router, route, holds } = setUp();
  const removals = ["a", "b"].map((name) => router.add(name, route()));
  expect(holds()).toBe(2);
  removals[0]?.();
  removals[0]?.();
  expect(holds()).toBe(1);
  removals[1]?.();
  expect(holds()).toBe(0);
});

describe("a notification", () => {
  it("reaches only the route of its id", () => {
    const { router, received, route, emit } = setUp();
    router.add("a", route("a "));
    router.add("b", route("b "));
    emit({ name: "b", value: "new" });
    expect(received).toEqual(["b new"]);
  });

  it("with an unknown id is ignored, even if it is invalid", () => {
    const { router, received, route, emit } = setUp();
    router.add("a", route());
    emit({ name: "x", value: 5 });
    expect(received).toEqual([]);
  });

  it.each([
    ["no params", undefined],
    ["null", null],
    ["no name", {}],
    ["a name that is a number", { name: 5 }],
  ])("with %s throws a ProtocolError", (_, params) => {
    const { emit } = setUp();
    const error = new ProtocolError("A value/changed notification has no name");
    expect(() => emit(params)).toThrow(error);
  });

  it("of the wrong shape fails only its route", () => {
    const { router, received, route, emit } = setUp();
    router.add("a", route("a "));
    router.add("b", route("b "));
    emit({ name: "a", value: 5 });
    expect(received).toEqual(["a ProtocolError: A value/changed notification has the wrong shape"]);
  });
});

describe("a route", () => {
  it("receives notifications until it is removed", () => {
    const { router, received, route, emit } = setUp();
    const remove = router.add("a", route());
    expect([router.has("a"), router.has("b"), router.size]).toEqual([true, false, 1]);
    remove();
    expect([router.has("a"), router.size]).toEqual([false, 0]);
    emit({ name: "a", value: "new" });
    expect(received).toEqual([]);
  });

  it("does not remove a later route with the same id", () => {
    const { router, received, route, emit } = setUp();
    const remove = router.add("a", route("early "));
    router.add("a", route("late "));
    remove();
    emit({ name: "a", value: "new" });
    expect(received).toEqual(["late new"]);
  });

  it("fails once when the connection ends, and is removed before", () => {
    const { router, received, route, end } = setUp();
    const failure = new DisconnectedError("cable cut");
    for (const name of ["a", "b"]) {
      const { fail, accept } = route(`${name} of ${router.size} `);
      router.add(name, {
        accept,
        fail: (error) => {
          expect([error, router.size]).toEqual([failure, 0]);
          fail(error);
        },
      });
    }
    end(failure);
    end(failure);
    expect(received).toEqual([
      `a of 0 DisconnectedError: ${failure.message}`,
      `b of 1 DisconnectedError: ${failure.message}`,
    ]);
  });
});
