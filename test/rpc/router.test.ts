import { describe, expect, it } from "vitest";
import { DisconnectedError, ProtocolError } from "../../src/errors.ts";
import { type FrameReader, Router } from "../../src/rpc/router.ts";

/** A router of notifications that name a thing and say something, and what one thing was told. */
function setUp(readFrame?: FrameReader<string, string>) {
  const parse = (params: unknown): string | undefined => {
    const { said } = params as { said?: unknown };
    return typeof said === "string" ? said : undefined;
  };
  const router = new Router<string, string>("name", "string", { "thing/said": parse }, readFrame);
  const told: string[] = [];
  const route = (as = "") => ({
    accept: (event: string) => void told.push(as + event),
    fail: (error: Error) => void told.push(`${as}${error.name}: ${error.message}`),
  });
  return { router, told, route };
}

describe("a notification", () => {
  it("comes to the thing it names, and to no other", () => {
    const { router, told, route } = setUp();
    router.add("a", route("a "));
    router.add("b", route("b "));
    router.accept("thing/said", { name: "b", said: "hello" });
    expect(told).toEqual(["b hello"]);
  });

  it("of another method is ignored, whatever that method is called and holds", () => {
    const { router, told, route } = setUp();
    router.add("a", route());
    router.accept("toString", { name: "a", said: "hello" });
    router.accept("thing/other", undefined);
    expect(told).toEqual([]);
  });

  it("about a thing that nobody knows is ignored, whatever it says", () => {
    const { router, told, route } = setUp();
    router.add("a", route());
    router.accept("thing/said", { name: "x", said: 5 });
    expect(told).toEqual([]);
  });

  it.each([
    ["no params", undefined],
    ["null", null],
    ["no name", {}],
    ["a name that is none", { name: 5 }],
  ])("with %s can be attributed to nothing", (_, params) => {
    const { router } = setUp();
    const error = new ProtocolError("A thing/said notification has no name");
    expect(() => router.accept("thing/said", params)).toThrow(error);
  });

  it("of the wrong shape fails its thing alone", () => {
    const { router, told, route } = setUp();
    router.add("a", route("a "));
    router.add("b", route("b "));
    router.accept("thing/said", { name: "a", said: 5 });
    expect(told).toEqual(["a ProtocolError: A thing/said notification has the wrong shape"]);
  });
});

describe("a frame that need not be parsed", () => {
  const known: FrameReader<string, string> = (frame) =>
    frame === "nonsense" ? undefined : { key: String(frame), event: "hello" };

  it("comes to the thing it names, if there is one", () => {
    const { router, told, route } = setUp(known);
    router.add("a", route());
    expect(router.acceptFrame("a")).toBe(true);
    expect(router.acceptFrame("x")).toBe(true);
    expect(told).toEqual(["hello"]);
  });

  it("is left to others if it can't be read, or nothing can read one", () => {
    expect(setUp(known).router.acceptFrame("nonsense")).toBe(false);
    expect(setUp().router.acceptFrame("a")).toBe(false);
  });
});

describe("a route", () => {
  it("is there until it is taken away", () => {
    const { router, told, route } = setUp();
    const remove = router.add("a", route());
    expect([router.has("a"), router.has("b"), router.size]).toEqual([true, false, 1]);
    remove();
    expect([router.has("a"), router.size]).toEqual([false, 0]);
    router.accept("thing/said", { name: "a", said: "hello" });
    expect(told).toEqual([]);
  });

  it("does not take a later one of the same name away", () => {
    const { router, told, route } = setUp();
    const remove = router.add("a", route("early "));
    router.add("a", route("late "));
    remove();
    router.accept("thing/said", { name: "a", said: "hello" });
    expect(told).toEqual(["late hello"]);
  });

  it("fails with the connection, once, and is gone by then", () => {
    const { router, told, route } = setUp();
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
    router.failAll(failure);
    router.failAll(failure);
    expect(told).toEqual([
      `a of 0 DisconnectedError: ${failure.message}`,
      `b of 1 DisconnectedError: ${failure.message}`,
    ]);
  });
});
