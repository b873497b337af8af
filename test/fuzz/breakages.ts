import type { Breakage } from "../support/broken-build.ts";

/** Broken builds that the fuzzer must detect. */
export const BREAKAGES: Readonly<Record<string, Breakage>> = {
  "a parse error does not end the connection": {
    file: "rpc/peer.ts",
    find: "void this.disconnect(new DisconnectedError(reason, { sessionId: this.sessionId, cause }));",
    replace: "void [DisconnectedError, reason];",
  },
  "pending requests do not reject when the connection ends": {
    file: "rpc/peer.ts",
    find: 'for (const call of pending) call.fail(failureOfCall(failure, "unknown"));',
    replace: "",
  },
  "a malformed response does not reject its request": {
    file: "rpc/peer.ts",
    find: "this.#leave(this.#pending.takeFailed(message.id))?.failMalformed();",
    replace: "this.#leave(this.#pending.takeFailed(message.id));",
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
  "a response without a request is ignored": {
    file: "rpc/pending-requests.ts",
    find: "if (id !== UNKNOWN_REQUEST) return this.take(id);",
    replace: "if (id !== UNKNOWN_REQUEST || this.#hasAnswered) return this.take(id);",
  },
  "a response without a request is attributed to the oldest of several requests": {
    file: "rpc/pending-requests.ts",
    find: "if (only !== undefined && others.length === 0) return this.take(only);",
    replace: "if (only !== undefined && others.length >= 0) return this.take(only);",
  },
  "a response without a request ends the connection although one request is in flight": {
    file: "rpc/pending-requests.ts",
    find: "if (only !== undefined && others.length === 0) return this.take(only);",
    replace: "if (only !== undefined && others.length < 0) return this.take(only);",
  },
  "text that is not well-formed is sent": {
    file: "rpc/request-frame.ts",
    find: "if (hasLoneSurrogate(text)) {",
    replace: "if (text === undefined) {",
  },
  "well-formed text that looks like an escape is refused": {
    file: "protocol/json-limits.ts",
    find: "(?:^|[^\\\\])(?:\\\\\\\\)*",
    replace: "",
  },
  "a value that is nested one level too deeply is sent": {
    file: "rpc/request-frame.ts",
    find: "if (depth > MAX_JSON_DEPTH) {",
    replace: "if (depth > MAX_JSON_DEPTH + 1) {",
  },
  "the brackets in a text count as levels": {
    file: "protocol/json-limits.ts",
    find: "if (code === QUOTE) at = endOfString(json, at);",
    replace: "if (code === QUOTE) continue;",
  },
  "one value too many is sent": {
    file: "rpc/request-frame.ts",
    find: "if (values > MAX_JSON_VALUES) {",
    replace: "if (values > MAX_JSON_VALUES + 1) {",
  },
  "an unknown option is ignored": {
    file: "internal/option-rules.ts",
    find: "if (names.includes(name) || options[name] === undefined) continue;",
    replace: "continue;",
  },
  "an unknown option is ignored in a record of another realm": {
    file: "internal/option-rules.ts",
    find: 'return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf");',
    replace: "return prototype === Object.prototype;",
  },
  "the bytes of another realm are refused": {
    file: "internal/realms.ts",
    find: "if (ArrayBuffer.isView(value)) return new Uint8Array(",
    replace: "if (value === undefined) return new Uint8Array(",
  },
  "a URL of another realm is refused": {
    file: "internal/realms.ts",
    find: 'return tagOf(value) === "[object URL]" && typeof (value as URL).href === "string";',
    replace: "return value instanceof URL;",
  },
  "the error of a connection names one of its operations": {
    file: "rpc/peer.ts",
    find: "markShared(failure);",
    replace: "void markShared;",
  },
};
