/**
 * Makes a release of the version that the change log names as unreleased: checks, sets the version and the date, packs,
 * commits and tags. It publishes nothing.
 *
 *   npm run release -- 0.2.0
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";

const CHANGELOG = "CHANGELOG.md";
const OUTPUT = ".tmp/release";
/** The owner in the addresses of package.json until the project has one. */
const PLACEHOLDER = "OWNER";

function check(isRight: boolean, otherwise: string): void {
  if (isRight) return;
  console.error(`No release: ${otherwise}.`);
  process.exit(1);
}
const output = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { encoding: "utf8" }).trim();
const show = (program: string, ...args: string[]): void => {
  execFileSync(program, args, { stdio: "inherit" });
};
const readJson = (file: string) => JSON.parse(readFileSync(file, "utf8"));
const writeJson = (file: string, value: unknown): void =>
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);

const [version = ""] = process.argv.slice(2);
const tag = `v${version}`;
const heading = `## ${version} (unreleased)`;
const changes = readFileSync(CHANGELOG, "utf8");
const manifest = readJson("package.json");

check(/^\d+\.\d+\.\d+$/.test(version), `expected a version such as 0.2.0, got ${version || "none"}`);
check(changes.includes(`${heading}\n`), `${CHANGELOG} has no chapter "${heading}"`);
check(
  !manifest.repository.url.includes(PLACEHOLDER),
  `repository.url in package.json still says ${PLACEHOLDER}`,
);
check(output("git", "rev-parse", "--abbrev-ref", "HEAD") === "main", "the branch is not main");
check(output("git", "status", "--porcelain") === "", "the working tree has changes that are not committed");
check(output("git", "tag", "--list", tag) === "", `the tag ${tag} exists`);
show("npm", "test");

const date = new Date().toISOString().slice(0, 10);
writeFileSync(CHANGELOG, changes.replace(heading, `## ${version} (${date})`));
writeJson("package.json", { ...manifest, version });
for (const name of readdirSync("examples")) {
  const file = `examples/${name}/package.json`;
  if (!existsSync(file)) continue;
  const example = readJson(file);
  example.dependencies[manifest.name] = `^${version}`;
  writeJson(file, example);
}
show("npm", "install", "--package-lock-only", "--ignore-scripts");
show("npm", "run", "build");
mkdirSync(OUTPUT, { recursive: true });
show("npm", "pack", "--ignore-scripts", "--pack-destination", OUTPUT);
show("git", "commit", "--quiet", "--all", "--message", `Release ${version}`);
show("git", "tag", "--annotate", tag, "--message", `Version ${version}`);
console.log(`Made ${tag}. What is left: git push --follow-tags, and npm publish of the file in ${OUTPUT}.`);
