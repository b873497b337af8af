import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** A directory that is removed after the tests of a file. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "test-"));
  afterAll(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** Returns a function that writes a file into the directory, an object as JSON, and returns its path. */
export function filesIn(directory: string): (name: string, content: string | object) => string {
  return (name, content) => {
    const path = join(directory, name);
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
    return path;
  };
}
