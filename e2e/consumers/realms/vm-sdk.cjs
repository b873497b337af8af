/** Loads the SDK in a vm context and passes values of the main realm to it. */
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const vm = require("node:vm");
const { useForeignValues } = require("./foreign.cjs");
const { origin, url } = require("./parameters.cjs");

const NAMES = [
  ...[
    "AbortController",
    "AbortSignal",
    "Blob",
    "FormData",
    "Headers",
    "ReadableStream",
    "Request",
    "Response",
  ],
  ...["TextDecoder", "TextEncoder", "URL", "URLSearchParams", "WritableStream"],
  ...["atob", "btoa", "clearTimeout", "crypto", "performance", "queueMicrotask", "setTimeout"],
];
const context = vm.createContext(Object.fromEntries(NAMES.map((name) => [name, globalThis[name]])));
const loaded = new Map();

/** Evaluates the modules of the SDK and of zod in the context, and all others in the main realm. */
function load(file) {
  if (loaded.has(file)) return loaded.get(file).exports;
  const module = { exports: {} };
  loaded.set(file, module);
  const ofFile = createRequire(file);
  const names = ["exports", "require", "module"];
  const evaluate = vm.compileFunction(readFileSync(file, "utf8"), names, {
    filename: file,
    parsingContext: context,
  });
  const requireIn = (name) => {
    const path = ofFile.resolve(name);
    return /node_modules.(exec-server-sdk|zod)/.test(path) ? load(path) : ofFile(name);
  };
  evaluate(module.exports, requireIn, module);
  return module.exports;
}

async function main() {
  const { LazyExecServerClient, webSocket } = load(require.resolve("exec-server-sdk"));
  const client = new LazyExecServerClient({ transport: webSocket(url) });
  const used = await useForeignValues(client, globalThis, origin);
  await client.close();
  process.stdout.write(JSON.stringify(used));
}

void main();
