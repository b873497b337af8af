import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const FILES: Readonly<Record<string, string>> = {
  "README.md": `# A small workspace

These files live on the exec-server's machine. Open one, change it, save it; run it in the terminal below:

    node src/primes.js 40
    sh bin/weather.sh
    node src/site.js 4321     then "Open port"

Then press "Kill server" and look at the strip above. Nothing reconnects automatically.
Press "Start server": your next action opens one new session.
Or press "100 callers": they share one dial, one session, or one error.
`,
  "src/primes.js": `// Prints the primes up to a limit: node src/primes.js 100
import { sieve } from "./sieve.js";

const limit = Number(process.argv[2] ?? 100);
const primes = sieve(limit);

console.log(primes.join(" "));
console.log(\`\${primes.length} primes up to \${limit}\`);
`,
  "src/sieve.js": `/** The sieve of Eratosthenes. */
export function sieve(limit) {
  const composite = new Uint8Array(limit + 1);
  const primes = [];
  for (let n = 2; n <= limit; n++) {
    if (composite[n]) continue;
    primes.push(n);
    for (let multiple = n * n; multiple <= limit; multiple += n) composite[multiple] = 1;
  }
  return primes;
}
`,
  "src/site.js": `// A site of this machine: node src/site.js 4321. Then press "Open port" and type 4321.
import { createServer } from "node:http";
import { sieve } from "./sieve.js";

const port = Number(process.argv[2] ?? 4321);
const cells = () => {
  const primes = new Set(sieve(200));
  return Array.from({ length: 200 }, (_, n) => \`<b class="\${primes.has(n) ? "prime" : ""}">\${n}</b>\`).join("");
};

createServer((_, response) => {
  response.setHeader("content-type", "text/html");
  response.end(\`<!doctype html><title>Primes</title><style>
    :root { color-scheme: light dark; font: 14px system-ui }
    main { display: grid; grid-template-columns: repeat(auto-fill, 2.6em); gap: 4px }
    b { padding: 0.4em 0; border-radius: 6px; background: #8882; text-align: center; font-weight: 400 }
    .prime { background: #4450cf; color: white }
  </style><h1>Primes up to 200</h1><main>\${cells()}</main>\`);
}).listen(port, "127.0.0.1", () => console.log(\`listening on port \${port}\`));
`,
  "bin/weather.sh": `#!/bin/sh
# Prints for a few seconds.
for degrees in 12 14 17 19 18 15; do
  printf '%s  %s°C\\n' "$(date +%H:%M:%S)" "$degrees"
  sleep 1
done
`,
  "notes/ideas.txt": `- one client for the whole page
- errors decide by code
- the next action opens the next session
`,
  "package.json": `{ "name": "small-workspace", "private": true, "type": "module" }\n`,
};

/** A temporary directory with example files. */
export interface Workspace {
  readonly root: string;
  remove(): void;
}

export function makeWorkspace(): Workspace {
  const root = mkdtempSync(join(tmpdir(), "web-ide-"));
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
}
