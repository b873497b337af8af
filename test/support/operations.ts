import { readdirSync, readFileSync } from "node:fs";
import type { RemoteFileSystem } from "../../src/index.ts";

const MIB = 1024 * 1024;

export interface Operation {
  /** The method of the request that is in flight while the server does not respond. */
  readonly method: string;
  act(fs: RemoteFileSystem, path: (name: string) => string, signal?: AbortSignal): Promise<unknown>;
}

/** Every file operation once, on a directory with the files `small` and `large` and the directory `dir`. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  readFile: {
    method: "fs/getMetadata",
    act: (fs, path, signal) => fs.readFile(path("small"), { signal }),
  },
  writeFile: {
    method: "fs/writeFile",
    act: (fs, path, signal) => fs.writeFile(path("out"), "text", { signal }),
  },
  "writeFile of 3 MiB": {
    method: "fs/open",
    act: (fs, path, signal) => fs.writeFile(path("large"), new Uint8Array(3 * MIB), { signal }),
  },
  mkdir: { method: "fs/createDirectory", act: (fs, path, signal) => fs.mkdir(path("new"), { signal }) },
  rm: { method: "fs/getMetadata", act: (fs, path, signal) => fs.rm(path("small"), { signal }) },
  cp: { method: "fs/getMetadata", act: (fs, path, signal) => fs.cp(path("small"), path("out"), { signal }) },
  stat: { method: "fs/getMetadata", act: (fs, path, signal) => fs.stat(path("small"), { signal }) },
  exists: { method: "fs/getMetadata", act: (fs, path, signal) => fs.exists(path("none"), { signal }) },
  realpath: { method: "fs/canonicalize", act: (fs, path, signal) => fs.realpath(path("small"), { signal }) },
  readdir: { method: "fs/readDirectory", act: (fs, path, signal) => fs.readdir(path("dir"), { signal }) },
  walk: { method: "fs/walk", act: (fs, path, signal) => fs.walk(path("dir"), { signal }) },
  createReadStream: {
    method: "fs/open",
    act: (fs, path, signal) => fs.createReadStream(path("large"), { signal }).getReader().read(),
  },
  createWriteStream: {
    method: "fs/open",
    act: (fs, path, signal) =>
      fs
        .createWriteStream(path("large"), { signal })
        .getWriter()
        .write(new Uint8Array(3 * MIB)),
  },
  whenAppears: {
    method: "fs/watchMissing",
    act: (fs, path, signal) => fs.whenAppears([path("none")], { signal }),
  },
};

/** Shell command that creates the files of the operations. */
export const PREPARE = "mkdir dir; echo text > small; head -c 3000000 /dev/urandom > large";

/** Stops a server with SIGSTOP. Resolves when all its threads are stopped, shortly after the signal. */
export async function freeze(pid: number): Promise<void> {
  process.kill(pid, "SIGSTOP");
  const threads = `/proc/${pid}/task`;
  const isStopped = (id: string): boolean => / T /.test(readFileSync(`${threads}/${id}/stat`, "utf8"));
  while (!readdirSync(threads).every(isStopped)) await new Promise(setImmediate);
}
