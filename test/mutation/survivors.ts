import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Prints the result of the mutation check for each area. Exits with code 1 if fewer than 90 % of the mutants of an area
 * were killed, or if a survivor is missing from SURVIVORS.md.
 */

const ROOT = join(import.meta.dirname, "../..");
const MIN_PERCENT = 90;

const AREAS: Readonly<Record<string, RegExp>> = {
  "lazy client":
    /^src\/(client\/(lazy-client|lazy-connection|connection-status)|internal\/single-flight)\.ts$/,
  rpc: /^src\/rpc\//,
  ordering: /^src\/process\/event-order\.ts$/,
  all: /./,
};

interface Position {
  readonly line: number;
  readonly column: number;
}

interface Report {
  readonly files: Readonly<
    Record<
      string,
      {
        readonly source: string;
        readonly mutants: readonly {
          readonly status: string;
          readonly replacement: string;
          readonly location: { readonly start: Position; readonly end: Position };
        }[];
      }
    >
  >;
}

const report: Report = JSON.parse(readFileSync(join(ROOT, ".tmp/mutation-report.json"), "utf8"));
const onOneLine = (text: string): string => text.replace(/\s+/g, " ").trim();

const mutants = Object.entries(report.files).flatMap(([file, { source, mutants }]) => {
  const lines = source.split("\n");
  return mutants.map(({ status, replacement, location: { start, end } }) => {
    const mutated = lines.slice(start.line - 1, end.line);
    mutated[mutated.length - 1] = mutated.at(-1)?.slice(0, end.column - 1) ?? "";
    mutated[0] = mutated[0]?.slice(start.column - 1) ?? "";
    const line = onOneLine(lines[start.line - 1] ?? "");
    const change = `\`${onOneLine(mutated.join("\n"))}\` → \`${onOneLine(replacement)}\``;
    return {
      file,
      isKilled: status === "Killed" || status === "Timeout",
      /** In the form of SURVIVORS.md. */
      entry: `${file} \`${line}\` ${change}`,
    };
  });
});

const list = onOneLine(readFileSync(join(import.meta.dirname, "SURVIVORS.md"), "utf8"));
const listed = list.match(/(?<=- )src\/\S+ `.*?` `.*?` → `.*?`/g) ?? [];
const survivors = mutants.filter(({ isKilled }) => !isKilled).map(({ entry }) => entry);
const unlisted = survivors.filter((entry) => !list.includes(`- ${entry}`));
for (const entry of unlisted) process.stdout.write(`Survived, but not listed:\n- ${entry}\n`);
for (const entry of listed) {
  if (!survivors.includes(entry)) process.stdout.write(`Listed, but killed:\n- ${entry}\n`);
}
let isEnough = true;
for (const [area, pattern] of Object.entries(AREAS)) {
  const areaMutants = mutants.filter(({ file }) => pattern.test(file));
  const killed = areaMutants.filter(({ isKilled }) => isKilled).length;
  const percent = (100 * killed) / areaMutants.length;
  isEnough &&= percent >= MIN_PERCENT;
  process.stdout.write(`${area}: ${killed} of ${areaMutants.length} killed, ${percent.toFixed(1)} %\n`);
}
process.exitCode = isEnough && unlisted.length === 0 ? 0 : 1;
