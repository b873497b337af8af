import type { Breakage } from "../support/broken-build.ts";

/** Broken builds that the soak detects within a few seconds. */
export const QUICK: Readonly<Record<string, Breakage>> = {
  "concurrent callers do not share one attempt": {
    file: "internal/single-flight.ts",
    find: "const flight = this.#flight ?? this.#start(attempt);",
    replace: "const flight = this.#start(attempt);",
  },
  "output ends without an error when its connection is lost": {
    file: "process/state.ts",
    find: "this.output.end(error);",
    replace: "this.output.end();",
  },
  "an abort listener is not removed from the caller's signal": {
    file: "internal/abort.ts",
    find: "      clearTimeout(timer);\n      unlink();",
    replace: "      clearTimeout(timer);\n      void unlink;",
  },
};

/** Broken builds that only `npm run soak` checks. */
export const SLOW: Readonly<Record<string, Breakage>> = {
  "a chunk of output is delivered twice": {
    file: "process/output.ts",
    find: 'if (this.#claimed !== "split") this.#merged.push(piece);',
    replace:
      'if (this.#claimed !== "split") for (let n = piece.seq === 4 ? 2 : 1; n > 0; n--) this.#merged.push(piece);',
  },
  "get() resolves with a disconnected client": {
    file: "client/lazy-connection.ts",
    find: "return isReplaceable ? undefined : this.#latest;",
    replace: "void isReplaceable;\n    return this.#latest;",
  },
  "pending requests do not reject when the connection ends": {
    file: "rpc/peer.ts",
    find: 'for (const call of pending) call.fail(failureOfCall(failure, "unknown"));',
    replace: "",
  },
  "a file handle is not closed": {
    file: "filesystem/handles.ts",
    find: '.inUse(this.#rpc.call("fs/close", { handleId: this.#handleId }, { releases: true }))',
    replace: '.inUse(this.#rpc.call("environment/status", null, { urgent: true }))',
  },
  "a silent connection is not detected": {
    file: "rpc/keep-alive.ts",
    find: "void this.#rpc.disconnect(",
    replace: "void (",
  },
  "a timer is not cleared": {
    file: "rpc/keep-alive.ts",
    find: "void rpc.ended.then(stop);",
    replace: "void stop;",
  },
  "a closed client is never garbage-collected": {
    file: "client/lazy-client.ts",
    find: "    this.#options = resolveLazyOptions(options);\n",
    replace:
      "    this.#options = resolveLazyOptions(options);\n    ((globalThis as { all?: unknown[] }).all ??= []).push(this);\n",
  },
};
