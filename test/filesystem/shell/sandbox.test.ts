import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RemoteFileSystem, SandboxContext } from "../../../src/index.ts";
import { failureOf } from "../../support/failure.ts";
import { realClient } from "../../support/real-client.ts";

let folder: string;
let real: Awaited<ReturnType<typeof realClient>>;
/** Its sandboxes can't start, because its home is a temporary directory. */
let temporary: Awaited<ReturnType<typeof realClient>>;
let sandbox: SandboxContext;
/** Has no /bin/sh. */
let unreadable: SandboxContext;
const inside = (name: string): string => join(folder, "inside", name);
const outside = (name: string): string => join(folder, "outside", name);

beforeAll(async () => {
  folder = mkdtempSync("/var/tmp/sandbox-");
  for (const name of ["home", "inside", "beside", "outside"]) mkdirSync(join(folder, name));
  real = await realClient({ home: join(folder, "home") });
  temporary = await realClient();
  const writable = [
    { path: { type: "path", path: `file://${folder}/inside` }, access: "write" },
    { path: { type: "path", path: `file://${folder}/beside` }, access: "write" },
  ] as const;
  const root = { path: { type: "special", value: { kind: "root" } }, access: "read" } as const;
  const sandboxOf = (entries: readonly (typeof root | (typeof writable)[number])[]): SandboxContext => ({
    permissions: { type: "managed", file_system: { type: "restricted", entries }, network: "restricted" },
  });
  sandbox = sandboxOf([root, ...writable]);
  unreadable = sandboxOf(writable);
});
afterAll(async () => {
  await real[Symbol.asyncDispose]();
  await temporary[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

type Call = (fs: RemoteFileSystem, at: (name: string) => string) => Promise<unknown>;

it.each<[string, Call]>([
  ["appendFile", (fs, at) => fs.appendFile(at("append"), "x", { sandbox })],
  ["appendFile of large data", (fs, at) => fs.appendFile(at("large"), "x".repeat(100_000), { sandbox })],
  ["writeFile with a flag", (fs, at) => fs.writeFile(at("wx"), "x", { flag: "wx", sandbox })],
  ["rename", (fs, at) => fs.rename(at("file"), at("renamed"), { sandbox })],
  ["chmod", (fs, at) => fs.chmod(at("file"), 0o600, { sandbox })],
  ["symlink", (fs, at) => fs.symlink("x", at("link"), { sandbox })],
  ["mkdtemp", (fs, at) => fs.mkdtemp(at("tmp-"), { sandbox })],
])("%s writes where the sandbox lets it, and nowhere else", async (_, call) => {
  for (const at of [inside, outside]) writeFileSync(at("file"), "file");
  await call(real.client.fs, inside);
  expect(await failureOf(call(real.client.fs, outside))).toMatchObject({ code: "ERR_SERVER" });
  expect(readFileSync(outside("file"), "utf8")).toBe("file");
});

it("rename is refused between two folders of the sandbox, which are two mounts", async () => {
  mkdirSync(inside("from/sub"), { recursive: true });
  const beside = join(folder, "beside/to");
  const error = await failureOf(real.client.fs.rename(inside("from"), beside, { sandbox }));
  expect(error).toMatchObject({ code: "ERR_SERVER" });
  expect((error as Error).message).toContain("Invalid cross-device link");
  expect(readdirSync(inside("from"))).toEqual(["sub"]);
  expect(readdirSync(join(folder, "beside"))).toEqual([]);
});

it.each([0, 0o400, 0o444])("writes a new file whose mode %i does not let its owner write", async (mode) => {
  // In the sandbox, permissions hold for root as well.
  const large = "x".repeat(5 * 1024 * 1024);
  const { fs } = real.client;
  await fs.writeFile(inside(`w${mode}`), large, { mode, sandbox });
  await fs.writeFile(inside(`wx${mode}`), large, { mode, flag: "wx", sandbox });
  await fs.appendFile(inside(`a${mode}`), large, { mode, sandbox });
  for (const flag of ["w", "wx", "a"]) {
    const { size, mode: found } = statSync(inside(`${flag}${mode}`));
    expect([size, found & 0o777]).toEqual([large.length, mode]);
  }
});

it.each<[string, Call]>([
  ["readlink", (fs, at) => fs.readlink(at("file"), { sandbox: unreadable })],
  ["rename", (fs, at) => fs.rename(at("file"), at("new"), { sandbox: unreadable })],
  ["appendFile", (fs, at) => fs.appendFile(at("file"), "x", { sandbox: unreadable })],
  ["packDirectory", (fs, at) => fs.packDirectory(at(""), { sandbox: unreadable }).getReader().read()],
])("%s says that the shell does not start in the sandbox, and nothing of the path", async (_, call) => {
  for (const fs of [real.client.fs, temporary.client.fs]) {
    const error = await failureOf(call(fs, inside));
    expect(error).toMatchObject({ code: "ERR_SERVER" });
    expect(error).not.toHaveProperty("kind");
    expect((error as Error).message).toContain("The shell did not start: ");
    expect((error as Error).message).toContain("No such file or directory");
  }
});
