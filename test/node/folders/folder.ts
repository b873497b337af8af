import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Names that are hard to pass on, and those that archives keep in several ways. */
const ODD_NAMES = [
  "a b",
  "new\nline",
  "tab\t",
  "-rf",
  "--",
  "back\\slash",
  "*?[x]",
  "'\"`$HOME",
  "é e\u0301 😀",
  "%41",
  "...",
  "\u0001",
  "n".repeat(100),
  "n".repeat(101),
  "é".repeat(127),
  `${"deep/".repeat(60)}end`,
];

/** A temporary folder, and paths inside. */
export function temporary() {
  const root = mkdtempSync(join(tmpdir(), "folders-"));
  return {
    root,
    at: (name: string) => join(root, name),
    [Symbol.dispose]: () => {
      execFileSync("chmod", ["-R", "u+rwx", root]);
      rmSync(root, { recursive: true });
    },
  };
}

/** Writes a file with a mode and a time of its own, and its parents. */
export function put(path: string, data: string | Uint8Array, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, data);
  chmodSync(path, mode);
  utimesSync(path, 1_500_000_000, 1_600_000_000);
}

/** A folder with files of many sizes and modes, odd names, links, and directories that are empty or not writable. */
export function makeFolder(root: string, files: number): void {
  for (let n = 0; n < files; n++) {
    const size = n % 100 === 0 ? 300_000 : n % 5 === 0 ? n % 512 : n * 17;
    put(
      join(root, `d${n % 40}/e${n % 7}/f${n}`),
      Buffer.alloc(size, `${n},`),
      [0o644, 0o755, 0o600, 0o777, 0o444][n % 5],
    );
  }
  for (const name of ODD_NAMES) put(join(root, "odd", name), name);
  mkdirSync(join(root, "empty/inside"), { recursive: true });
  symlinkSync("../d1", join(root, "odd/to-directory"));
  symlinkSync("/etc/hostname", join(root, "odd/absolute"));
  symlinkSync("no\nwhere", join(root, "odd/broken"));
  symlinkSync("t".repeat(150), join(root, "odd/long-target"));
  // A name that is not UTF-8.
  writeFileSync(Buffer.concat([Buffer.from(`${root}/odd/`), Buffer.from([0xff, 0xfe, 0x41])]), "bytes");
  put(join(root, "read-only/inside"), "x");
  chmodSync(join(root, "read-only"), 0o555);
  utimesSync(join(root, "read-only"), 1_500_000_000, 1_500_000_000);
}

/** Everything below a folder as other programs see it: type, mode, time, size, target and name; and the contents. */
export function listingOf(root: string): string {
  const format = "%y %m %Ts %s %l %P\\0";
  const list = execFileSync(
    "find",
    [root, "-mindepth", "1", "(", "-type", "d", "-printf", "%y %m %Ts - %P\\0", "-o", "-printf", format, ")"],
    {
      encoding: "latin1",
      maxBuffer: 2 ** 28,
    },
  );
  const sums = execFileSync(
    "sh",
    ["-c", 'cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha1sum', "sh", root],
    {
      encoding: "latin1",
      maxBuffer: 2 ** 28,
      env: { ...process.env, LC_ALL: "C" },
    },
  );
  return `${list.split("\0").sort().join("\n")}\n${sums}`;
}
