import { describe, expect, it } from "vitest";
import { DisconnectedError, ProtocolError } from "../../src/errors.ts";
import { type NotificationSource, Router } from "../../src/rpc/router.ts";

/** A router attached to a source that emits what the test says, and what its routes got. */
function setUp() {
  const listeners = new Map<string, (params: unknown) => void>();
  let end!: (failure: DisconnectedError) => void;
  const source: NotificationSource = {
    onNotification: (method, listener) => void listeners.set(method, listener),
    onEnd(listener) {
      end = listener;
    },
  };
  const router = new Router<string, string>(source, "name", "string", {
    "thing/said": (params) => {
      const { said } = params as { said?: unknown };
      return typeof said === "string" ? said : undefined;
    },
  });
  const received: string[] = [];
  const route = (as = "") => ({
    accept: (event: string) => void received.push(as + event),
    fail: (error: Error) => void received.push(`${as}${error.name}: ${error.message}`),
  });
  return { router, received, route, emit: (params: unknown) => listeners.get("thing/said")?.(params), end };
}

describe("a notification", () => {
  it("comes to the thing it names, and to no other", () => {
    const { router, received, route, emit } = setUp();
    router.add("a", route("a "));
    router.add("b", route("b "));
    emit({ name: "b", said: "hello" });
    expect(received).toEqual(["b hello"]);
  });

  it("about a thing that nobody knows is ignored, whatever it says", () => {
    const { router, received, route, emit } = setUp();
    router.add("a", route());
    emit({ name: "x", said: 5 });
    expect(received).toEqual([]);
  });

  it.each([
    ["no params", undefined],
    ["null", null],
    ["no name", {}],
    ["a name that is none", { name: 5 }],
  ])("with %s can be attributed to nothing", (_, params) => {
    const { emit } = setUp();
    const error = new ProtocolError("A thing/said notification has no name");
    expect(() => emit(params)).toThrow(error);
  });

  it("of the wrong shape fails its thing alone", () => {
    const { router, received, route, emit } = setUp();
    router.add("a", route("a "));
    router.add("b", route("b "));
    emit({ name: "a", said: 5 });
    expect(received).toEqual(["a ProtocolError: A thing/said notification has the wrong shape"]);
  });
});

describe("a route", () => {
  it("is there until it is taken away", () => {
    const { router, received, route, emit } = setUp();
    const remove = router.add("a", route());
    expect([router.has("a"), router.has("b"), router.size]).toEqual([true, false, 1]);
    remove();
    expect([router.has("a"), router.size]).toEqual([false, 0]);
    emit({ name: "a", said: "hello" });
    expect(received).toEqual([]);
  });

  it("does not take a later one of the same name away", () => {
    const { router, received, route, emit } = setUp();
    const remove = router.add("a", route("early "));
    router.add("a", route("late "));
    remove();
    emit({ name: "a", said: "hello" });
    expect(received).toEqual(["late hello"]);
  });

  it("fails with the connection, once, and is gone by then", () => {
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
