import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { gone } from "../test/support/command-lines.ts";
import { ExecServer } from "../test/support/exec-server.ts";
import { exampleCommand, startExample } from "./support/example.ts";

const MiB = 1024 * 1024;
/** The example as one line, for a shell and for the `--rsh` of rsync. */
const REMOTE_SHELL = exampleCommand("remote-shell/remote-shell.ts")
  .map((word) => `'${word}'`)
  .join(" ");

let server: ExecServer;
let folder: string;
beforeAll(async () => {
  server = await ExecServer.start({ args: ["--concurrent-requests", "8"] });
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "remote-shell-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs a line of a shell in the folder, in which `rsh` is the remote shell. */
async function sh(line: string, ...args: string[]): Promise<string> {
  const author = {
    GIT_AUTHOR_NAME: "a",
    GIT_AUTHOR_EMAIL: "a@b",
    GIT_COMMITTER_NAME: "a",
    GIT_COMMITTER_EMAIL: "a@b",
  };
  const { stdout } = await promisify(execFile)(
    "bash",
    ["-c", `set -eo pipefail; rsh() { ${REMOTE_SHELL} "$@"; }; ${line}`, "bash", ...args],
    {
      cwd: folder,
      env: {
        ...process.env,
        ...author,
        EXEC_SERVER_URL: server.url,
        GIT_CONFIG_GLOBAL: "/dev/null",
        GIT_SSH_COMMAND: REMOTE_SHELL,
        RSH: REMOTE_SHELL,
      },
      maxBuffer: 64 * MiB,
    },
  );
  return stdout;
}

/** Makes a folder with odd names, an empty file, a program, a link and more than a megabyte. */
function makeTree(name: string): string {
  const root = join(folder, name);
  mkdirSync(join(root, "sub dir", "ünï"), { recursive: true });
  mkdirSync(join(root, "empty"));
  for (const odd of ["a b", "it's", 'quo"te', "-dash", "star*", "$HOME", "line\nend", "back\\slash"]) {
    writeFileSync(join(root, "sub dir", odd), `content of ${odd}`);
  }
  writeFileSync(join(root, "nothing"), "");
  writeFileSync(join(root, "sub dir", "ünï", "large"), randomBytes(5 * MiB));
  writeFileSync(join(root, "program"), "#!/bin/sh\n");
  chmodSync(join(root, "program"), 0o750);
  symlinkSync("nothing", join(root, "link"));
  return root;
}

/** Compares names, contents, modes and links, with tools of the system. */
async function expectSame(one: string, other: string): Promise<void> {
  expect(await sh('diff --recursive --no-dereference "$1" "$2" && echo same', one, other)).toBe("same\n");
  const listing = 'cd "$1" && find . -printf "%y %m %P %l\\0" | sort -z | tr "\\0" "\\n"';
  expect(await sh(listing, one)).toBe(await sh(listing, other));
}

describe("through the remote shell", () => {
  it("git clones, fetches and pushes", async () => {
    await sh(`git init --quiet --initial-branch main work && cd work
      head -c ${8 * MiB} /dev/urandom >large && echo one >small && git add . && git commit --quiet -m one
      git clone --quiet --bare . ../there.git`);
    await sh('git clone --quiet "there:$PWD/there.git" clone');
    expect(await sh("git -C clone log --format=%s && cmp work/large clone/large && echo same")).toBe(
      "one\nsame\n",
    );

    await sh(
      `cd clone && head -c ${8 * MiB} /dev/urandom >large && git commit --quiet --all -m two && git push --quiet`,
    );
    expect(await sh("git -C there.git log --format=%s && git -C there.git fsck --strict 2>&1")).toBe(
      "two\none\n",
    );
    await sh(
      'cd work && git fetch --quiet "there:$PWD/../there.git" main && git merge --quiet --ff-only FETCH_HEAD',
    );
    expect(await sh("cmp work/large clone/large && echo same")).toBe("same\n");
  });

  it("git reports a repository that does not exist", async () => {
    await expect(sh('git clone --quiet "there:$PWD/nowhere.git" clone')).rejects.toMatchObject({
      code: 128,
      stderr: expect.stringContaining("does not appear to be a git repository"),
    });
  });

  it("rsync copies a folder there and back", async () => {
    const tree = makeTree("tree");
    await sh('rsync --archive --rsh "$RSH" tree/ "there:$PWD/up/"');
    await expectSame(tree, join(folder, "up"));
    await sh('rsync --archive --rsh "$RSH" "there:$PWD/up/" down/');
    await expectSame(tree, join(folder, "down"));
    // Only what has changed, and what has gone.
    writeFileSync(join(tree, "nothing"), "something");
    rmSync(join(tree, "empty"), { recursive: true });
    await sh('rsync --archive --delete --rsh "$RSH" tree/ "there:$PWD/up/"');
    await expectSame(tree, join(folder, "up"));
  });

  it("tar pipes a folder there and back", async () => {
    const tree = makeTree("tree");
    mkdirSync(join(folder, "up"));
    mkdirSync(join(folder, "down"));
    await sh('tar --create --directory tree . | rsh there "tar --extract --directory $PWD/up"');
    await expectSame(tree, join(folder, "up"));
    await sh('rsh there "tar --create --directory $PWD/up ." | tar --extract --directory down');
    await expectSame(tree, join(folder, "down"));
  });
});

describe("the remote shell", () => {
  const options = { env: {} as Record<string, string>, stdio: ["pipe", "pipe", "pipe"] as const };
  beforeAll(() => {
    options.env = { EXEC_SERVER_URL: server.url };
  });
  const start = (...args: string[]) =>
    startExample("remote-shell/remote-shell.ts", args, { ...options, stdio: [...options.stdio] });

  it("passes the exit code, and standard error beside standard output", async () => {
    const line = 'rsh -p 22 -o A=b -l me there "cat; echo oops >&2; exit 7" 2>err';
    expect(await sh(`echo hello | ${line} || echo "code $?"; cat err`)).toBe("hello\ncode 7\noops\n");
  });

  it("exits with 255 if it can't connect, and if it is called otherwise than ssh", async () => {
    const line = 'rsh "$@" </dev/null 2>err || echo "code $?"; cat err';
    expect(await sh(`EXEC_SERVER_URL=ws://127.0.0.1:9; ${line}`, "there", "true")).toMatch(
      /^code 255\nremote-shell: .*connect/i,
    );
    expect(await sh(line, "-G", "there")).toBe("code 255\nremote-shell: unknown option -G\n");
  });

  it("ends with its program while its own input stays open", async () => {
    const child = start("there", "head -c 3");
    child.stdin?.write("abcdef");
    const exited = once(child, "exit");
    expect(await text(child.stdout as NodeJS.ReadableStream)).toBe("abc");
    expect(await exited).toEqual([0, null]);
  });

  it("takes an endless input only as long as its program reads", async () => {
    expect(await sh("{ yes || true; } | rsh there head -c 4")).toBe("y\ny\n");
  });

  it("ends its program when its own output is not read any more", async () => {
    const name = `endless-${crypto.randomUUID()}`;
    const line = `rsh there "sh -c 'while echo y; do :; done' ${name}" | head -c 4`;
    expect(await sh(`(set +o pipefail; ${line})`)).toBe("y\ny\n");
    await gone(name);
  });

  it("forwards SIGTERM and exits with the code of the program", async () => {
    const child = start("there", "trap 'echo caught; exit 9' TERM; echo ready; while :; do sleep 0.05; done");
    const exited = once(child, "exit");
    const output = child.stdout as NodeJS.ReadableStream;
    expect(String(await once(output, "data"))).toBe("ready\n");
    child.kill("SIGTERM");
    expect(await text(output)).toBe("caught\n");
    expect(await exited).toEqual([9, null]);
  });

  it("stops its program while its own output is not read, and loses nothing", async () => {
    const size = 256 * MiB;
    const child = start("there", `echo $$ >&2; exec head -c ${size} /dev/zero`);
    const [pid] = await once(child.stderr as NodeJS.ReadableStream, "data");
    const state = (): string | undefined =>
      /\) (\w)/.exec(readFileSync(`/proc/${Number(String(pid))}/stat`, "utf8"))?.[1];
    await expect.poll(state, { timeout: 20_000 }).toBe("T");
    let length = 0;
    child.stdin?.end();
    for await (const chunk of child.stdout ?? []) length += chunk.length;
    expect(length).toBe(size);
  });
});
