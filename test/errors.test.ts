import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";

/** All errors of one copy of the modules. */
const load = async () => ({
  ...(await import("../src/errors/error.ts")),
  ...(await import("../src/errors/connection.ts")),
  ...(await import("../src/errors/process.ts")),
  ...(await import("../src/errors/server.ts")),
  ...(await import("../src/errors/usage.ts")),
});
const errors = await load();
type Errors = typeof errors;

const { ExecServerError, ProcessExitError, UsageError, redactUrls } = errors;

const everyClass = {
  ConnectError: { code: "ERR_CONNECT", make: (of = errors) => new of.ConnectError("m", { phase: "dial" }) },
  TimeoutError: { code: "ERR_TIMEOUT", make: (of = errors) => new of.TimeoutError("ERR_TIMEOUT", "m") },
  DisconnectedError: { code: "ERR_DISCONNECTED", make: (of = errors) => new of.DisconnectedError("m") },
  ClosedError: { code: "ERR_CLOSED", make: (of = errors) => new of.ClosedError() },
  ServerError: { code: "ERR_SERVER", make: (of = errors) => new of.ServerError("m", { rpcCode: -32602 }) },
  ProtocolError: { code: "ERR_PROTOCOL", make: (of = errors) => new of.ProtocolError("m") },
  ProcessExitError: { code: "ERR_PROCESS_EXIT", make: (of = errors) => new of.ProcessExitError(result) },
  OverflowError: { code: "ERR_OVERFLOW", make: (of = errors) => new of.OverflowError(1) },
  UsageError: {
    code: "ERR_INVALID_ARGUMENT",
    make: (of = errors) => new of.UsageError("ERR_INVALID_ARGUMENT", "m"),
  },
} as const;

const result = { exitCode: 3, stdout: "out", stderr: "err", sandboxDenied: true };
const names = Object.keys(everyClass) as (keyof typeof everyClass)[];

describe.each(names)("%s", (name) => {
  const { code, make } = everyClass[name];

  it("has its code and its name", () => {
    expect(make()).toMatchObject({ name, code });
    expect(String(make())).toBe(`${name}: ${make().message}`);
  });

  it("is an ExecServerError, an Error, and no other class of the SDK", () => {
    const error = make();
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(ExecServerError);
    expect(names.filter((other) => error instanceof errors[other])).toEqual([name]);
  });

  it("is an instance of the same class of another copy of the module", async () => {
    const copy = await freshCopy();
    expect(copy[name]).not.toBe(errors[name]);
    expect(make()).toBeInstanceOf(copy[name]);
    expect(make()).toBeInstanceOf(copy.ExecServerError);
    expect(make(copy)).toBeInstanceOf(errors[name]);
    expect(names.filter((other) => make(copy) instanceof errors[other])).toEqual([name]);
  });

  it("has no properties for details that were not given", () => {
    expect(Object.keys(make())).not.toContain("sessionId");
    expect(Object.keys(make())).not.toContain("delivery");
    expect(Object.keys(make())).not.toContain("cause");
  });
});

function freshCopy(): Promise<Errors> {
  vi.resetModules();
  return load();
}

describe("instanceof", () => {
  it.each([undefined, null, 1, "text", {}, new Error("x"), { code: "ERR_CLOSED" }])(
    "is false for %o",
    (value) => {
      expect((value as unknown) instanceof ExecServerError).toBe(false);
      expect((value as unknown) instanceof UsageError).toBe(false);
    },
  );

  it("treats a subclass without a brand as an ordinary class", () => {
    class PathError extends UsageError {}
    const own = new PathError("ERR_INVALID_ARGUMENT", "m");
    expect(own).toBeInstanceOf(PathError);
    expect(own).toBeInstanceOf(UsageError);
    expect(own).toBeInstanceOf(ExecServerError);
    expect(new UsageError("ERR_INVALID_ARGUMENT", "m")).not.toBeInstanceOf(PathError);
  });
});

describe("details", () => {
  it("keeps the session id, the delivery and the details of the class", () => {
    const common = { sessionId: "s", delivery: "unknown" } as const;
    expect(
      new errors.ConnectError("m", { ...common, phase: "initialize", status: 403, closeCode: 1006 }),
    ).toMatchObject({ ...common, phase: "initialize", status: 403, closeCode: 1006 });
    expect(new errors.DisconnectedError("lost", { ...common, closeCode: 1001 })).toMatchObject({
      ...common,
      reason: "lost",
      closeCode: 1001,
    });
    expect(
      new errors.ServerError("m", { ...common, rpcCode: -32004, data: { a: 1 }, kind: "not-found" }),
    ).toMatchObject({ ...common, rpcCode: -32004, data: { a: 1 }, kind: "not-found" });
    expect(new errors.OverflowError(64, common)).toMatchObject({ ...common, limit: 64 });
  });

  it("omits undefined details", () => {
    const error = new errors.ConnectError("m", { phase: "dial", status: undefined, closeCode: undefined });
    expect(Object.keys(error)).not.toContain("status");
    expect(Object.keys(error)).not.toContain("closeCode");
  });

  it("carries the whole result of a failed process", () => {
    const bytes = { ...result, stdout: new Uint8Array([1]), stderr: new Uint8Array([2]) };
    for (const outcome of [result, bytes]) {
      const error = new ProcessExitError(outcome);
      expect(error.result).toBe(outcome);
      const { exitCode, stdout, stderr, sandboxDenied } = error;
      expect({ exitCode, stdout, stderr, sandboxDenied }).toEqual(outcome);
      expect(error.message).toContain("3");
      expect(error.message).not.toContain("out");
    }
  });
});

describe("cause", () => {
  const causeOf = (cause: unknown): unknown => new errors.ProtocolError("m", { cause }).cause;

  it("is a plain copy of name, code and message only", () => {
    const foreign = Object.assign(new TypeError("refused", { cause: "inner secret" }), {
      code: "ECONNREFUSED",
      headers: { authorization: "secret" },
    });
    const cause = causeOf(foreign);
    expect(cause).not.toBe(foreign);
    expect(Object.getPrototypeOf(cause)).toBe(Object.prototype);
    expect(cause).toEqual({ name: "TypeError", code: "ECONNREFUSED", message: "refused" });
  });

  it("keeps numeric codes and drops codes of other types", () => {
    expect(causeOf({ name: "E", code: 7, message: "m" })).toEqual({ name: "E", code: 7, message: "m" });
    expect(causeOf({ name: "E", code: { token: 1 }, message: "m" })).toEqual({ name: "E", message: "m" });
  });

  it("has its URLs redacted, also in a string", () => {
    const url = "wss://user:secret@host/path?token=secret#secret";
    expect(causeOf(new Error(`can't open ${url}`))).toEqual({
      name: "Error",
      message: "can't open wss://host/path",
    });
    expect(causeOf(url)).toEqual({ name: "Error", message: "wss://host/path" });
  });

  it("is a plain object for every value that can be thrown", () => {
    expect(causeOf(null)).toEqual({ name: "Error", message: "null" });
    expect(causeOf(Symbol("s"))).toEqual({ name: "Error", message: "Symbol(s)" });
    expect(causeOf({ message: 1 })).toEqual({ name: "Error", message: "" });
  });

  it("is kept unchanged if it is an error of the SDK, also from another copy of the module", async () => {
    const own = new UsageError("ERR_TOO_LARGE", "m");
    expect(causeOf(own)).toBe(own);
    const { ClosedError } = await freshCopy();
    const other = new ClosedError();
    expect(causeOf(other)).toBe(other);
  });
});

describe("redactUrls", () => {
  const word = fc.stringMatching(/^[a-zA-Z0-9!$&'()*+,;=%._~-]{1,12}$/);
  const parts = fc.record({
    scheme: fc.constantFrom("ws", "wss", "http", "HTTPS", "git+ssh"),
    user: fc.option(
      fc.oneof(
        word,
        fc.tuple(word, fc.stringMatching(/^[\w:@]{0,12}$/)).map((two) => two.join(":")),
      ),
    ),
    host: fc.oneof(
      fc.domain(),
      fc.ipV4(),
      fc.ipV6().map((ip) => `[${ip}]`),
    ),
    port: fc.option(fc.nat(65535)),
    path: fc.webPath(),
    query: fc.option(fc.webQueryParameters()),
    fragment: fc.option(fc.webFragments()),
  });

  it("keeps only scheme, host, port and path of a URL", () => {
    fc.assert(
      fc.property(parts, ({ scheme, user, host, port, path, query, fragment }) => {
        const origin = `${host}${port === null ? "" : `:${port}`}`;
        const credentials = user === null ? "" : `${user}@`;
        const tail = (query === null ? "" : `?${query}`) + (fragment === null ? "" : `#${fragment}`);
        const url = `${scheme}://${credentials}${origin}${path}${tail}`;
        expect(redactUrls(`at ${url} and "${url}"`)).toBe(
          `at ${scheme}://${origin}${path} and "${scheme}://${origin}${path}"`,
        );
      }),
    );
  });

  it("removes every credential of a URL from any text", () => {
    const urls = fc.webUrl({ authoritySettings: { withPort: true }, size: "small" });
    fc.assert(
      fc.property(urls, fc.string(), fc.string(), (webUrl, before, after) => {
        const url = new URL(webUrl);
        Object.assign(url, { username: "S3CRET", password: "S3CRET", search: "?t=S3CRET", hash: "#S3CRET" });
        expect(redactUrls(`${before}${url.href} ${after}`)).not.toContain("S3CRET");
      }),
      { numRuns: 500 },
    );
  });

  it.each(["1", "_", "%20", "é"])("redacts a URL directly after %o", (before) => {
    expect(redactUrls(`${before}ws://user:secret@host/p?secret`)).toBe(`${before}ws://host/p`);
  });

  it.each([",", ";", "),(", "|", "/"])("redacts both URLs separated only by %o", (between) => {
    expect(redactUrls(`ws://u:secret@a/${between}ws://u:secret@b/`)).toBe(`ws://a/${between}ws://b/`);
  });

  it("keeps text without URLs unchanged", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        fc.pre(!text.includes("://"));
        expect(redactUrls(text)).toBe(text);
      }),
    );
    expect(redactUrls("mail me@host, is it a/b?c#d")).toBe("mail me@host, is it a/b?c#d");
  });

  it("takes less than 500 ms for long texts that look like the start of a URL", () => {
    const started = performance.now();
    redactUrls("a.".repeat(30_000));
    redactUrls("a://".repeat(10_000));
    expect(performance.now() - started).toBeLessThan(500);
  });
});
