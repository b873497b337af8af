import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { examples } from "./snippets.ts";

interface Example {
  readonly name: string;
  readonly code: string;
}

/** The examples of the API reference, by name; further ones of the same name have a number. */
export const EXAMPLES: readonly Example[] = [...examples()].flatMap(([name, codes]) =>
  codes.map((code, n) => ({ name: n === 0 ? name : `${name} ${n}`, code })),
);

/** Examples that are compiled, but not run, and why. */
export const NOT_RUN: Readonly<Record<string, string>> = {
  "client/environment.ts: connectTcp": "nothing listens on its port",
  "client/environment.ts: call 1": "no server has the method",
  "errors/connection.ts: DisconnectedError": "it waits for the end of the connection",
};

/** What all examples leave to the reader: a client. */
const GLOBALS = `
import type { LazyExecServerClient } from "exec-server-sdk";
declare global {
  var client: LazyExecServerClient;
}
`;

/** What the examples of the test kit leave to the reader. */
const TEST_KIT = `
import { LazyExecServerClient } from "exec-server-sdk";
import { TestServer } from "exec-server-sdk/testing";
await using server = new TestServer();
const app = new LazyExecServerClient({ transport: server.transport });
`;

/** What the examples of the gateway leave to the reader. */
const GATEWAY = `
import { createGateway } from "exec-server-sdk/gateway";
import { webSocket as upstream } from "exec-server-sdk/node";
const gateway = createGateway({
  upstream: upstream("ws://127.0.0.1:8080"),
  allowedOrigins: ["https://ide.example"],
  authorize: { tokens: { ada: "a-token-of-enough-letters" } },
});
`;

/** Runs the modules whose names it gets, one after the other. */
const RUNNER = `
import { LazyExecServerClient, webSocket } from "exec-server-sdk";

await using client = new LazyExecServerClient({ transport: webSocket("ws://127.0.0.1:8080") });
globalThis.client = client;
for (const name of process.argv.slice(2)) {
  await import(\`./\${name}\`).catch((error) => {
    console.error(name, error);
    process.exitCode = 1;
  });
}
`;

/**
 * Writes each example as a module, and `run.mts`, which runs those that it gets the names of.
 *
 * @param adapted Replaces addresses and directories by those of the test.
 */
export function writeExamples(root: string, adapted: (code: string) => string): void {
  mkdirSync(join(root, "work"), { recursive: true });
  writeFileSync(join(root, "work/package.json"), "{}");
  writeFileSync(join(root, "globals.d.mts"), GLOBALS);
  writeFileSync(join(root, "run.mts"), adapted(RUNNER));
  for (const [index, example] of EXAMPLES.entries())
    writeFileSync(join(root, moduleOf(index)), completed(example, adapted));
}

function completed({ name, code }: Example, adapted: (code: string) => string): string {
  // Those of the test kit have the files and addresses of a server in memory.
  if (name.startsWith("testing/")) return code.includes("new TestServer(") ? code : TEST_KIT + code;
  if (name.startsWith("gateway/") && !code.includes("createGateway(")) return adapted(GATEWAY + code);
  return adapted(code);
}

/** The modules of the examples that can be run. */
export function runnableModules(): string[] {
  return EXAMPLES.flatMap(({ name }, index) => (name in NOT_RUN ? [] : [moduleOf(index)]));
}

const moduleOf = (index: number): string => `example-${index}.mts`;
