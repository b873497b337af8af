import type { Breakage } from "../support/broken-build.ts";

/** What the soak must find; those first that it finds within a few seconds. */
export const QUICK: Readonly<Record<string, Breakage>> = {
  "each caller dials for itself": {
    file: "internal/single-flight.ts",
    find: "const flight = this.#flight ?? this.#start(attempt);",
    replace: "const flight = this.#start(attempt);",
  },
  "output ends cleanly when its connection is lost": {
    file: "process/state.ts",
    find: "this.output.end(error);",
    replace: "this.output.end();",
  },
  "a listener stays on the caller's signal": {
    file: "internal/abort.ts",
    find: "      clearTimeout(timer);\n      unlink();",
    replace: "      clearTimeout(timer);\n      void unlink;",
  },
};

export const SLOW: Readonly<Record<string, Breakage>> = {
  "a piece of output comes twice": {
    file: "process/output.ts",
    find: 'if (this.#claimed !== "split") this.#merged.push(piece);',
    replace:
      'if (this.#claimed !== "split") for (let n = piece.seq === 4 ? 2 : 1; n > 0; n--) this.#merged.push(piece);',
  },
  "a client that is lost is handed out": {
    file: "client/lazy-client.ts",
    find: "return client !== undefined && !(",
    replace: "return client !== undefined || !(",
  },
  "requests are forgotten at the end": {
    file: "rpc/peer.ts",
    find: 'for (const call of pending) call.fail(failureOfCall(failure, "unknown"));',
    replace: "",
  },
  "a file stays open": {
    file: "filesystem/transfer.ts",
    find: "await opened?.handle.close();",
    replace: "void opened;",
  },
  "a silent connection is not found": {
    file: "rpc/keep-alive.ts",
    find: "void this.#rpc.close(",
    replace: "void (",
  },
  "a timer stays": {
    file: "rpc/keep-alive.ts",
    find: "void rpc.ended.then(stop);",
    replace: "void stop;",
  },
  "a client is remembered for ever": {
    file: "client/lazy-client.ts",
    find: "    this.#options = resolveOptions(options);\n",
    replace:
      "    this.#options = resolveOptions(options);\n    ((globalThis as { all?: unknown[] }).all ??= []).push(this);\n",
  },
};
