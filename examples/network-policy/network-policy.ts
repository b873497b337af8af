/**
 * Runs a command that may reach one host and no other, and logs every decision.
 *
 *   npm run server
 *   npm start
 *   npx tsx network-policy.ts ws://127.0.0.1:8080 localhost curl -sS http://localhost:3000/
 */
import { ExecServerError, LazyExecServerClient, type SandboxContext } from "exec-server-sdk";
import { webSocket } from "exec-server-sdk/node";

const [url = "ws://127.0.0.1:8080", allowedHost = "example.com", ...given] = process.argv.slice(2);
const command = given.length > 0 ? given : ["curl", "-sS", `https://${allowedHost}/`];

// In this sandbox the server's proxy is the only way to the network.
const sandbox: SandboxContext = {
  permissions: { type: "managed", file_system: { type: "unrestricted" }, network: "restricted" },
};

await using client = new LazyExecServerClient({
  transport: webSocket(url),
  onNetworkPolicyRequest: ({ host }) => (host === allowedHost ? "allow" : "deny"),
});

try {
  const { exitCode, stdout, stderr } = await client.run(command, {
    sandbox,
    reject: false,
    network: {
      // For the test of this example, whose origin is on this machine. Leave it out otherwise.
      allowLocalBinding: allowedHost === "localhost",
      onDecision: ({ decision, protocol, host, port, source }) =>
        console.log(`${decision}: ${protocol} ${host}:${port} (${source})`),
    },
  });
  console.log(`exit code ${exitCode}\n${stdout}${stderr}`.trimEnd());
} catch (error) {
  if (!(error instanceof ExecServerError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
}
