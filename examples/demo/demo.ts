/** Builds the SDK and the page, then tells the story of one connection: `npm run demo`. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const ROOT = join(import.meta.dirname, "../..");
const run = promisify(execFile);

console.log("exec-server-sdk: one lazy connection, replaced exactly once when it dies.");
const started = performance.now();
try {
  // Their output matters only if they fail: it is part of the error.
  await run("npm", ["run", "--silent", "build"], { cwd: ROOT });
  await run("npm", ["run", "--silent", "build"], { cwd: join(ROOT, "examples/web-ide") });
} catch (error) {
  const { stdout, stderr } = error as { stdout: string; stderr: string };
  console.error(`${stdout}${stderr}\nThe build has failed.`);
  process.exit(1);
}
console.log(`Built in ${((performance.now() - started) / 1000).toFixed(1)} s.`);
// Only now is there a package to import.
await import("./story.ts");
