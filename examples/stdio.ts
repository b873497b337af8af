/**
 * A server of one's own, as a child process: started by the first use, ended with the client.
 *
 *   npx tsx examples/stdio.ts
 */
import { LazyExecServerClient, ProcessExitError } from "exec-server-sdk";
import { stdio } from "exec-server-sdk/node";

const [command = "codex"] = process.argv.slice(2);

await using client = new LazyExecServerClient({
  transport: stdio({
    command,
    args: ["exec-server", "--listen", "stdio", "--concurrent-requests", "8"],
    // Its log, line by line; "inherit" shows it as it is.
    stderr: (line) => console.error("server:", line),
  }),
});

const { cwd } = await client.info();
console.log("working directory:", cwd);

const { stdout } = await client.run(["cat", "package.json"], { reject: false });
console.log(stdout ? `package.json has ${stdout.length} characters` : "there is no package.json");

try {
  await client.run(["ls", "/no/such/folder"]);
} catch (error) {
  if (!(error instanceof ProcessExitError)) throw error;
  console.log(`ls ended with ${error.exitCode}: ${String(error.stderr).trim()}`);
}
