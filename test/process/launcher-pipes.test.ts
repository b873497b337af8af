import { createHash, randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HELPER_PATH } from "../../src/process/launcher/script.ts";
import { gone } from "../support/command-lines.ts";
import { type LaunchOptions, SHELLS, ShellLauncher } from "../support/shell-launcher.ts";

/** One piece of the input, as the feeder reads it. */
const frame = (data: string | Uint8Array): Uint8Array =>
  Buffer.concat([Buffer.from(`${data.length}\n`), Buffer.from(data as string)]);
const END = "0\n";

describe.each(SHELLS)("pipes in %s", (shell) => {
  let launcher: ShellLauncher;
  let tools: string;
  beforeAll(async () => {
    launcher = await ShellLauncher.start(shell);
    tools = shell.endsWith("busybox") ? launcher.busyboxTools() : "";
  });
  afterAll(() => launcher[Symbol.asyncDispose]());

  const run = (input: "" | "feed" | "require", argv: readonly string[], options: LaunchOptions = {}) =>
    launcher.run({ type: "pipes", input }, argv, {
      // Busybox with its own tools: its head reads ahead, so the feeder must take dd.
      edit: (script) => (tools ? script.replace(HELPER_PATH, `PATH=${tools}`) : script),
      ...options,
    });

  it("leaves the environment, the arguments and the exit code as they are", async () => {
    const env = { "a.b": "1", PWD: "/nope", _: "x", SHLVL: "5", TERM: "dumb" };
    const { text, report, stderr } = await run("feed", ["/usr/bin/env", "-0"], { env, input: [END] });
    expect(report).toMatch(/^started \d+ fed$/);
    expect(stderr).toBe("");
    const variables = text.split("\0").slice(0, -1).sort();
    const expected = { PATH: "/usr/bin:/bin", ...env };
    expect(variables).toEqual(
      Object.entries(expected)
        .map(([name, value]) => `${name}=${value}`)
        .sort(),
    );
    expect(await run("", ["sh", "-c", 'echo "$@" >&2; exit 7', "sh", "a b", ""])).toMatchObject({
      text: "",
      stderr: "a b \n",
      exitCode: 7,
    });
  });

  it("keeps a variable that no policy adds", async () => {
    const { text } = await run("", ["/usr/bin/env"], { exact: false });
    const plain = await launcher.real.client.run(["/usr/bin/env"], {
      env: { PATH: "/usr/bin:/bin" },
      cwd: launcher.folder,
    });
    expect(text.split("\n").sort()).toEqual(plain.stdout.split("\n").sort());
  });

  it("reports the process id that the program has", async () => {
    const { report, text } = await run("", ["sh", "-c", "echo $$"]);
    expect(report).toBe(`started ${text.trim()} `);
  });

  it("shows the program no descriptor of its own, and no child", async () => {
    const script = "ls /proc/self/fd | wc -l; cat /proc/$$/task/$$/children; echo; cat";
    const { text } = await run("feed", ["sh", "-c", script], { input: [frame("x"), END] });
    const [descriptors, children] = text.split("\n");
    // 0, 1, 2, and that of the directory; the only child is the cat that reads the list.
    expect(descriptors?.trim()).toBe("4");
    expect(children?.trim().split(" ")).toHaveLength(1);
  });

  it("feeds every byte up to the end, in pieces of any size", async () => {
    const all = randomBytes(3_000_000);
    const pieces: Uint8Array[] = [];
    for (let at = 0, size = 1; at < all.length; at += size, size = (size * 7) % 900_001) {
      pieces.push(frame(all.subarray(at, at + size)));
    }
    const { text, exitCode } = await run("feed", ["sha256sum"], { input: [...pieces, END] });
    expect(text.slice(0, 64)).toBe(createHash("sha256").update(all).digest("hex"));
    expect(exitCode).toBe(0);
  });

  it("feeds every byte with a head that reads ahead and a dd without flags", async () => {
    const edit = (script: string): string =>
      script.replaceAll("iflag=fullblock", "no=flag").replace("head -c 1 >/dev/null", "cat >/dev/null");
    const all = randomBytes(20_000);
    const input = [frame(all.subarray(0, 7_000)), frame(all.subarray(7_000)), END];
    const { text } = await run("feed", ["sha256sum"], { input, edit });
    expect(text.slice(0, 64)).toBe(createHash("sha256").update(all).digest("hex"));
  });

  it("feeds an empty input", async () => {
    expect(await run("require", ["cat"], { input: [END] })).toMatchObject({ text: "", exitCode: 0 });
  });

  it("feeds bytes that look like frames, and NUL", async () => {
    const data = "0\n3\nab\0\n0\n\r\n";
    const { text } = await run("feed", ["cat"], { input: [frame(data), frame("0\n"), END] });
    expect(text).toBe(`${data.replace("\r\n", "\n")}0\n`);
  });

  it("leaves no feeder and no fifo when the program ends before its input", async () => {
    const name = `early-${crypto.randomUUID()}`;
    const input = [frame(randomBytes(1_000_000)), frame(randomBytes(1_000_000))];
    const { text } = await run("feed", ["sh", "-c", "head -c 3 | wc -c", name], {
      input,
      env: { TMPDIR: launcher.folder },
    });
    expect(text.trim()).toBe("3");
    await gone(name);
    expect(readdirSync(launcher.folder).filter((file) => file.startsWith(".exec-server-"))).toEqual([]);
  });

  it("has the signals of the group pass the feeder", async () => {
    const script = "trap 'echo got' USR1 TERM; kill -s USR1 -- -$$; kill -s TERM -- -$$; cat";
    const { text } = await run("feed", ["sh", "-c", script], { input: [frame("still fed"), END] });
    expect(text).toBe("got\ngot\nstill fed");
  });

  it("kills the program if the input ends without its mark", async () => {
    const name = `cut-${crypto.randomUUID()}`;
    const setup = { type: "pipes", input: "feed" } as const;
    const script = "trap '' TERM; cat >/dev/null; echo complete";
    const processId = await launcher.start(setup, ["sh", "-c", script, name], { input: [frame("a part")] });
    // The server closes the input and ends the process.
    await launcher.real.client.call("process/terminate", { processId });
    const { chunks } = await launcher.real.client.call("process/read", { processId, waitMs: 1_000 });
    expect(chunks.map(({ chunk }) => Buffer.from(chunk, "base64").toString()).join("")).not.toContain(
      "complete",
    );
    await gone(name);
  });

  it.each([
    // The tool that copies, and the feeder itself.
    ["\\$\\$", {}],
    ["\\$\\$", { IFS: ":" }],
    ["\\$PPID", {}],
    ["\\$PPID", { IFS: ":" }],
  ])("kills the program if %s is killed within its input, with %o", async (victim, env) => {
    const name = `oom-${crypto.randomUUID()}`;
    const setup = { type: "pipes", input: "feed" } as const;
    const edit = (script: string): string =>
      script.replace('es_take "$es_length"', `sh -c "kill -KILL ${victim}"`);
    const script = "cat >/dev/null; echo complete";
    const input = [frame("a part")];
    const { text, exitCode } = await launcher.run(setup, ["sh", "-c", script, name], { input, edit, env });
    expect(text).toBe("");
    expect(exitCode).toBe(137);
    await gone(name);
  });

  it("goes on with the input if the process beside the feeder is killed, and still requires its end", async () => {
    const name = `beside-${crypto.randomUUID()}`;
    const setup = { type: "pipes", input: "feed" } as const;
    // The feeder kills its parent.
    const kill = "read -r es_a es_b es_c es_parent es_d </proc/self/stat; kill -s KILL $es_parent";
    const edit = (script: string): string =>
      script.replace('es_take "$es_length"', `{ ${kill}; head -c "$es_length"; }`);
    const script = "cat; echo complete";
    const started = ["sh", "-c", script, name];
    const whole = await launcher.run(setup, started, { input: [frame("all"), END], edit });
    expect(whole.text).toBe("allcomplete\n");
    const cut = await launcher.run(setup, started, { input: [frame("a part"), "\n"], edit });
    expect(cut.exitCode).toBe(137);
    expect(cut.text).not.toContain("complete");
    await gone(name);
  });

  it("starts without a feeder where no fifo can be made, unless the end is required", async () => {
    const edit = (script: string): string => script.replaceAll("mkfifo", "no-such-mkfifo");
    expect((await run("feed", ["head", "-n", "1"], { edit, input: ["as it is\n"] })).text).toBe("as it is\n");
    expect((await run("feed", ["true"], { edit })).report).toMatch(/^started \d+ $/);
    expect(await run("require", ["true"], { edit })).toMatchObject({ report: "unfed", exitCode: 1 });
  });

  it("reports what can't be started as with a terminal", async () => {
    expect((await run("feed", ["no-such-program"])).report).toBe("program ENOENT");
    expect((await run("", ["/etc/passwd"])).report).toBe("program EACCES");
  });
});
