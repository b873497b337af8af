import type { Breakage } from "../support/broken-build.ts";

/** What the fuzzer must find. */
export const BREAKAGES: Readonly<Record<string, Breakage>> = {
  "a parse error is swallowed": {
    file: "rpc/peer.ts",
    find: "void this.close(new DisconnectedError(reason, { sessionId: this.sessionId, cause }));",
    replace: "void [DisconnectedError, reason];",
  },
  "requests are forgotten at the end": {
    file: "rpc/peer.ts",
    find: 'for (const call of pending) call.fail(failureOfCall(failure, "unknown"));',
    replace: "",
  },
  "an answer that is none is dropped": {
    file: "rpc/peer.ts",
    find: "this.#takePending(message.id)?.refuse();",
    replace: "this.#takePending(message.id);",
  },
  "the server's questions stay unanswered": {
    file: "rpc/peer.ts",
    find: "if (answer !== undefined) void answer.then((result) => this.#sendMessage({ id, result }));",
    replace: "if (answer !== undefined) return;",
  },
  "a notification of the wrong shape is dropped": {
    file: "rpc/router.ts",
    find: "if (event === undefined) route.fail(",
    replace: "if (event === undefined) void (",
  },
  "the order of events is not looked at": {
    file: "process/event-order.ts",
    find: "if (seq === this.#next) {",
    replace: "if (seq >= this.#next) {",
  },
  "any number of events may wait for a missing one": {
    file: "process/event-order.ts",
    find: "if (this.#held.size === MAX_HELD_EVENTS ||",
    replace: "if (",
  },
  "a piece of output comes twice": {
    file: "process/output.ts",
    find: 'if (this.#claimed !== "split") this.#merged.push(piece);',
    replace:
      'if (this.#claimed !== "split") for (let n = piece.seq === 4 ? 2 : 1; n > 0; n--) this.#merged.push(piece);',
  },
  "a missing piece of a body goes unnoticed": {
    file: "http/body.ts",
    find: "if (seq !== expected) {",
    replace: "if (seq < expected) {",
  },
  "two texts may stand for the same bytes": {
    file: "internal/base64.ts",
    find: "if (padding > 0 && !PADDED_END.test(last)) return undefined;",
    replace: "",
  },
  "a number may begin with zeros": {
    file: "protocol/payload.ts",
    find: '"(0|[1-9]',
    replace: '"(0*|0*[1-9]',
  },
  "a promise that nobody looks at is an unhandled rejection": {
    file: "process/state.ts",
    find: "void unobserved<Promise<unknown>>(promise);",
    replace: "void unobserved, promise;",
  },
};
