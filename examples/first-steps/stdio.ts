/**
 * An exec-server as a child process. It starts on the first call and ends with the client.
 *
 *   npm run stdio
 */
import { LazyExecServerClient, ProcessExitError } from "exec-server-sdk";
import { stdio } from "exec-server-sdk/node";

const [command = "codex"] = process.argv.slice(2);

await using client = new LazyExecServerClient({
  transport: stdio({
    command,
    args: ["exec-server", "--listen", "stdio", "--concurrent-requests", "8"],
    // Called with each line of the server's log; "inherit" prints the log unchanged.
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
