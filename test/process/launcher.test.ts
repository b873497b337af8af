import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { launch, launched } from "../../src/process/launcher/launch.ts";
import { LaunchReporter, reportLine } from "../../src/process/launcher/report.ts";
import { REPORT_MARK } from "../../src/process/launcher/script.ts";
import type { ProcessStartParams } from "../../src/protocol/process.ts";
import { type LaunchOptions, POLICY, SHELLS, ShellLauncher } from "../support/shell-launcher.ts";

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

const STARTED = { type: "started", pid: 7, device: "/dev/pts/3", isFed: false };

describe("LaunchReporter", () => {
  function setUp() {
    const onReport = vi.fn();
    const reporter = new LaunchReporter(onReport);
    const strip = (text: string): string => Buffer.from(reporter.strip(bytesOf(text))).toString();
    return { reporter, onReport, strip };
  }

  it.each([
    ["started 7 /dev/pts/3\r\n", { type: "started", pid: 7, device: "/dev/pts/3", isFed: false }],
    ["started 7 /dev/ttys001\n", { type: "started", pid: 7, device: "/dev/ttys001", isFed: false }],
    ["started 7 not a tty\n", { type: "started", pid: 7, device: undefined, isFed: false }],
    ["started 7 /dev/pts/3 /etc/passwd\n", { type: "started", pid: 7, device: undefined, isFed: false }],
    ["started 7 fed\n", { type: "started", pid: 7, device: undefined, isFed: true }],
    ["started 123456 \n", { type: "started", pid: 123_456, device: undefined, isFed: false }],
    ["unfed\n", { type: "unfed" }],
    ["anything else\n", { type: "none", output: "anything else" }],
    ["program ENOENT\r\n", { type: "refused", subject: "program", error: "ENOENT" }],
    ["cwd ENOTDIR\r\n", { type: "refused", subject: "cwd", error: "ENOTDIR" }],
    ["lost a b.c\r\n", { type: "lost", variable: "a b.c" }],
    ["size\r\n", { type: "size" }],
  ])("parses the report %j as %o", (line, report) => {
    const { onReport, strip } = setUp();
    expect(strip(`${REPORT_MARK}${line}out`)).toBe("out");
    expect(onReport).toHaveBeenCalledExactlyOnceWith(report);
  });

  it("removes exactly the report and what the shell printed before it, however the output is split", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.array(fc.nat()), (rest, cuts) => {
        const { reporter, onReport } = setUp();
        const all = bytesOf(`sh: cannot change locale (é)\r\n${reportLine(7, "/dev/pts/3")}${rest}`);
        const edges = [0, ...cuts.map((at) => at % (all.length + 1)).sort((a, b) => a - b), all.length];
        const left = edges.slice(1).map((edge, i) => reporter.strip(all.subarray(edges[i], edge)));
        expect(Buffer.concat(left).toString("hex")).toBe(Buffer.from(bytesOf(rest)).toString("hex"));
        expect(onReport).toHaveBeenCalledExactlyOnceWith(STARTED);
      }),
    );
  });

  it("reports once, when the line is complete, and passes all other output", () => {
    const { reporter, onReport, strip } = setUp();
    expect(strip(`${REPORT_MARK}started 7 /dev/pts/`)).toBe("");
    expect(onReport).not.toHaveBeenCalled();
    expect(strip("3\na\nb")).toBe("a\nb");
    expect(strip(`${REPORT_MARK}size\n`)).toBe(`${REPORT_MARK}size\n`);
    reporter.end();
    expect(onReport).toHaveBeenCalledExactlyOnceWith(STARTED);
  });

  it("reports what was printed if the output ends without a report", () => {
    const { reporter, onReport, strip } = setUp();
    expect(strip("sh: out of ")).toBe("");
    expect(strip("memory\r\n")).toBe("");
    reporter.end();
    reporter.end();
    expect(onReport).toHaveBeenCalledExactlyOnceWith({ type: "none", output: "sh: out of memory" });
  });
});

const TERMINAL = { type: "terminal", size: { rows: 40, cols: 120 } } as const;

describe("launch", () => {
  const own = (params: Partial<ProcessStartParams>) =>
    launch({ argv: ["program"], cwd: "file:///work", env: {}, envPolicy: POLICY, ...params }, TERMINAL).slice(
      4,
      10,
    );

  it("passes names of variables, never their values", () => {
    const env = { "a.b": "secret-1", IFS: "secret-2", PLAIN: "secret-3" };
    const command = launch(
      { argv: ["x"], cwd: "file:///", env, envPolicy: { ...POLICY, set: { "c-d": "secret-4" } } },
      TERMINAL,
    );
    expect(command.join("\n")).not.toContain("secret");
    expect(command).toContain("c-d=a.b=IFS");
  });

  it("sets TERM and keeps what the server adds, unless the environment is exact", () => {
    expect(own({})).toEqual(["40", "120", "/work", "xterm-256color", "", ""]);
    expect(own({ envPolicy: null })).toEqual(["40", "120", "/work", "", "", "SHELL=PWD=OLDPWD=SHLVL=_="]);
    expect(own({ envPolicy: null, env: { SHELL: "/bin/x", PWD: "/y" } })[5]).toBe("OLDPWD=SHLVL=_=");
  });

  it.each([
    [{ inherit: "none" }, "SHELL="],
    [{ inherit: "none", set: { SHELL: "/bin/x" } }, ""],
    [{ exclude: ["sh*"] }, "SHELL="],
    [{ exclude: ["sh"] }, ""],
    [{ includeOnly: ["PATH", "HOM?"] }, "SHELL="],
    [{ includeOnly: ["SHEL?"] }, ""],
  ] as const)("removes the SHELL that the server adds if %o does not select it", (policy, removed) => {
    expect(own({ envPolicy: { ...POLICY, ...policy } })[5]).toBe(removed);
  });

  it("can be read back, so that a test server sees the program", () => {
    const command = launch({ argv: ["a", "", "40"], cwd: "file:///", env: {}, envPolicy: null }, TERMINAL);
    expect(launched(command)).toEqual({ argv: ["a", "", "40"], setup: TERMINAL });
    expect(launched(["/bin/sh", "-c", "true", "sh", "40", "120", "a"])).toBeUndefined();
  });
});

/** What shells drop, reset, correct or compute, and what is hard to quote. */
const VARIABLES: Readonly<Record<string, string>> = {
  "a.b": "1",
  "npm_config_//registry.example/:_authToken": "2",
  "x-y": "3",
  "1abc": "4",
  ünï: "5",
  "BASH_FUNC_f%%": "() { echo hi; }",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: nothing may evaluate it
  "q\"'$\\`": "q\"'\\ $x\n#z ${PATH} $(id)\t",
  "e.mpty": "",
  EMPTY: "",
  LINES_OF: "a\nb\n",
  IFS: ":",
  OPTIND: "7",
  PS1: "$ ",
  PS4: "trace ",
  PWD: "/nope",
  OLDPWD: "/old",
  SHLVL: "5",
  _: "/usr/bin/other",
  RANDOM: "3",
  LINENO: "9",
  PPID: "1",
  UID: "5",
  SHELLOPTS: "allexport:xtrace",
  POSIXLY_CORRECT: "1",
  LC_ALL: "C.UTF-8",
  CDPATH: "/",
  es_path: "mine",
};

describe.each(SHELLS)("the script in %s", (shell) => {
  let launcher: ShellLauncher;
  let folder: string;
  beforeAll(async () => {
    launcher = await ShellLauncher.start(shell);
    folder = launcher.folder;
  });
  afterAll(() => launcher[Symbol.asyncDispose]());

  /** Runs a program in a terminal, through this shell. */
  const launchIn = (argv: readonly string[], options?: LaunchOptions) =>
    launcher.run(TERMINAL, argv, options);

  async function environmentIn(options: LaunchOptions): Promise<Record<string, string>> {
    const { text, report, output } = await launchIn(["/usr/bin/env", "-0"], options);
    expect(report, output).toMatch(/^started \d+ \/dev\//);
    const entries = text.split("\0").slice(0, -1);
    return Object.fromEntries(entries.map((entry) => entry.split(/=(.*)/s).slice(0, 2) as [string, string]));
  }

  it("leaves an exact environment as it is", async () => {
    expect(await environmentIn({})).toEqual({ PATH: "/usr/bin:/bin" });
  });

  it.each(Object.keys(VARIABLES))("keeps the variable %j", async (name) => {
    const env = { [name]: VARIABLES[name] ?? "" };
    expect(await environmentIn({ env })).toEqual({ PATH: "/usr/bin:/bin", ...env });
  });

  it("keeps all of them at once, and 2,000 others", async () => {
    const many = Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`V${n}`, `${n}`]));
    const env = { ...VARIABLES, ...many, BIG: "x".repeat(100_000), "b.ig": "y".repeat(100_000) };
    expect(await environmentIn({ env })).toEqual({ PATH: "/usr/bin:/bin", ...env });
  });

  it("sets TERM if it is missing and the environment is not exact", async () => {
    const env = { PWD: "/nope" };
    const inherited = await environmentIn({ env, exact: false, edit: (script) => `unset TERM; ${script}` });
    expect(inherited["TERM"]).toBe(process.env["TERM"] ?? "xterm-256color");
    expect(await environmentIn({ env: { TERM: "dumb" }, exact: false })).toMatchObject({ TERM: "dumb" });
  });

  it("passes arguments and exit codes unchanged", async () => {
    const args = ["a b", "", "$HOME", "`id`", '"', "'", "*", "-n", "é\n", "\\"];
    expect((await launchIn(["printf", "<%s>", ...args])).text).toBe(args.map((arg) => `<${arg}>`).join(""));
    expect(await launchIn(["sh", "-c", "exit 7"])).toMatchObject({ text: "", exitCode: 7 });
  });

  it("sets the size and finds its helpers, whatever the PATH of the program is", async () => {
    expect((await launchIn(["/usr/bin/stty", "size"], { env: { PATH: "/nope" } })).text).toBe("40 120\n");
    expect((await launchIn(["stty", "size"])).text).toBe("40 120\n");
  });

  it("executes a program whose name or directory is odd", async () => {
    const program = join(folder, "a=b -c'd");
    writeFileSync(program, '#!/bin/sh\nprintf "%s|" "$0" "$@"');
    chmodSync(program, 0o755);
    expect((await launchIn([program, "x"], { env: { "a.b": "1" } })).text).toBe(`${program}|x|`);
    const env = { PATH: `/nope:${folder}` };
    expect((await launchIn(["a=b -c'd", "-y"], { env })).text).toBe(`${program}|-y|`);
    expect((await launchIn(["./a=b -c'd"])).text).toBe("./a=b -c'd|");
  });

  it("reports why a program can't be executed", async () => {
    const files: Record<string, string> = {
      text: "echo hi",
      empty: "",
      bad: "#!/no/such",
      plain: "#!/bin/sh",
    };
    files["denied"] = `#!${join(folder, "plain")}`;
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(folder, name), content);
      chmodSync(join(folder, name), name === "plain" ? 0o644 : 0o755);
    }
    mkdirSync(join(folder, "directory"), { recursive: true });
    const reports: Record<string, string> = {
      "no-such-program": "ENOENT",
      "/no/such": "ENOENT",
      export: "ENOENT",
      if: "ENOENT",
      "-x": "ENOENT",
      "A=B": "ENOENT",
      "directory/x": "ENOENT",
      "/etc/passwd/x": "ENOTDIR",
      ["n".repeat(300)]: "ENAMETOOLONG",
      plain: "EACCES",
      "./plain": "EACCES",
      directory: "EACCES",
      "./directory": "EACCES",
      denied: "EACCES",
      bad: "ENOENT",
      text: "ENOEXEC",
      "./empty": "ENOEXEC",
    };
    const env = { PATH: `${folder}:/usr/bin:/bin` };
    const got = Object.keys(reports).map(async (program) => {
      const { report, exitCode } = await launchIn([program], { env });
      return [program, report, exitCode];
    });
    expect(await Promise.all(got)).toEqual(
      Object.entries(reports).map(([program, error]) => [program, `program ${error}`, 1]),
    );
  });

  it("reports a working directory that can't be entered, before it looks for the program", async () => {
    const reports = { "/no/such": "ENOENT", "/etc/passwd": "ENOTDIR", "/etc/passwd/x": "ENOTDIR" };
    for (const [cwd, error] of Object.entries(reports)) {
      expect((await launchIn(["no-such-program"], { cwd })).report).toBe(`cwd ${error}`);
    }
    symlinkSync(folder, join(folder, "link"));
    expect((await launchIn(["pwd", "-P"], { cwd: join(folder, "link/") })).text).toBe(`${folder}\n`);
  });

  it("names a variable that the shell loses where env can't set it", async () => {
    const edit = (script: string): string => script.replace("'-Sprintf 1'", "--no-such-option");
    const { report } = await launchIn(["/usr/bin/env"], { env: { "a b.c": "1" }, edit });
    // Some shells keep it themselves.
    expect(["lost a b.c", expect.stringMatching(/^started \d+ \/dev\//)]).toContainEqual(report);
    expect((await launchIn(["printenv", "IFS"], { env: { IFS: ":" }, edit })).text).toBe(":\n");
  });

  it("names a variable that may be lost where there is no /proc and the shell resets it", async () => {
    const edit = (script: string): string => script.replaceAll("/proc/self/environ", "/no/such/environ");
    expect((await launchIn(["true"], { env: { IFS: ":" }, edit })).report).toBe("lost IFS");
    expect((await launchIn(["printenv", "PLAIN"], { env: { PLAIN: "1" }, edit })).text).toBe("1\n");
  });
});
