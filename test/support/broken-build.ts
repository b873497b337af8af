import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SOURCES } from "./sdk.ts";

/** One change to the sources that breaks a promise of the SDK. */
export interface Breakage {
  /** Path in the sources. */
  readonly file: string;
  /** Text that the file contains exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** A copy of the sources with one breakage. It is inside the project, so that imports of packages resolve. */
export class BrokenBuild implements Disposable {
  readonly directory: string;

  constructor({ file, find, replace }: Breakage) {
    const parent = join(SOURCES, "../.tmp");
    mkdirSync(parent, { recursive: true });
    this.directory = mkdtempSync(join(parent, "broken-"));
    cpSync(SOURCES, this.directory, { recursive: true });
    const path = join(this.directory, file);
    const [before, after, ...more] = readFileSync(path, "utf8").split(find);
    if (before === undefined || after === undefined || more.length > 0) {
      this[Symbol.dispose]();
      throw new Error(`${file} must contain this text exactly once: ${find}`);
    }
    writeFileSync(path, before + replace + after);
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
