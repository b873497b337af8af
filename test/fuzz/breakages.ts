import type { Breakage } from "../support/broken-build.ts";

/** Broken builds that the fuzzer must detect. */
export const BREAKAGES: Readonly<Record<string, Breakage>> = {
  "a parse error does not end the connection": {
    file: "rpc/peer.ts",
    find: "void this.close(new DisconnectedError(reason, { sessionId: this.sessionId, cause }));",
    replace: "void [DisconnectedError, reason];",
  },
  "pending requests do not reject when the connection ends": {
    file: "rpc/peer.ts",
    find: 'for (const call of pending) call.fail(failureOfCall(failure, "unknown"));',
    replace: "",
  },
  "a malformed response does not reject its request": {
    file: "rpc/peer.ts",
    find: "this.#takePending(message.id)?.failMalformed();",
    replace: "this.#takePending(message.id);",
  },
  "requests from the server get no response": {
    file: "rpc/peer.ts",
    find: "if (answer !== undefined) void answer.then((result) => this.#sendMessage({ id, result }));",
    replace: "if (answer !== undefined) return;",
  },
  "a malformed notification does not fail its subject": {
    file: "rpc/router.ts",
    find: "if (event === undefined) route.fail(",
    replace: "if (event === undefined) void (",
  },
  "events are accepted out of order": {
    file: "process/event-order.ts",
    find: "if (seq === this.#next) {",
    replace: "if (seq >= this.#next) {",
  },
  "the number of held events is not limited": {
    file: "process/event-order.ts",
    find: "if (this.#held.size === MAX_HELD_EVENTS ||",
    replace: "if (",
  },
  "a chunk of output is delivered twice": {
    file: "process/output.ts",
    find: 'if (this.#claimed !== "split") this.#merged.push(piece);',
    replace:
      'if (this.#claimed !== "split") for (let n = piece.seq === 4 ? 2 : 1; n > 0; n--) this.#merged.push(piece);',
  },
  "a missing chunk of a body is not detected": {
    file: "http/body.ts",
    find: "if (seq !== expected) {",
    replace: "if (seq < expected) {",
  },
  "base64 with non-zero trailing bits is accepted": {
    file: "internal/base64.ts",
    find: "if (padding > 0 && !PADDED_END.test(last)) return undefined;",
    replace: "",
  },
  "a number with leading zeros is accepted": {
    file: "protocol/payload.ts",
    find: '"(0|[1-9]',
    replace: '"(0*|0*[1-9]',
  },
  "an unobserved promise causes an unhandled rejection": {
    file: "process/state.ts",
    find: "void unobserved<Promise<unknown>>(promise);",
    replace: "void unobserved, promise;",
  },
};
