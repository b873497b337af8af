import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  Application,
  type DeclarationReflection,
  LogLevel,
  type ProjectReflection,
  ReflectionKind,
  type SignatureReflection,
  TSConfigReader,
} from "typedoc";
import { beforeAll, describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const PLUGIN = fileURLToPath(new URL("../.ci/typedoc-plugin.js", import.meta.url));

let project: ProjectReflection;

beforeAll(async () => {
  const tsconfig = join(ROOT, ".typedoc.json");
  // The types are checked by the compiler.
  const options = { tsconfig, plugin: [PLUGIN], skipErrorChecking: true, logLevel: LogLevel.Warn };
  const app = await Application.bootstrapWithPlugins(options, [new TSConfigReader()]);
  project = (await app.convert()) as ProjectReflection;
}, 60_000);

const declarations = (kind: ReflectionKind): DeclarationReflection[] =>
  project.getReflectionsByKind(kind) as DeclarationReflection[];

const textOf = ({ comment }: Pick<DeclarationReflection, "comment">): string =>
  comment?.summary.map(({ text }) => text).join("") ?? "";

const hasExample = ({ comment }: Pick<DeclarationReflection, "comment">): boolean =>
  comment?.getTag("@example") !== undefined;

/** Interfaces whose methods are called by apps, as those of classes are. */
const CALLED = ["ExecEnvironment", "RemoteFileSystem", "remotePath", "Gateway", "GatewayPage"];
/** What the runtime and custom channels call. */
const NOT_CALLED = ["[asyncDispose]", "admit", "accept"];

const isCalled = ({ name, parent }: DeclarationReflection): boolean =>
  (parent?.kindOf([ReflectionKind.Module, ReflectionKind.Class]) || CALLED.includes(parent?.name ?? "")) &&
  !NOT_CALLED.includes(name);

describe("the API reference", () => {
  it("shows no object type without a name", () => {
    const unnamed = declarations(ReflectionKind.TypeLiteral).filter(
      ({ children, indexSignatures }) => children || indexSignatures,
    );
    expect(unnamed.map((type) => type.getFullName())).toEqual([]);
  });

  it("lists no members of other packages' types", () => {
    const foreign = declarations(ReflectionKind.ClassMember).filter((member) => {
      const origin = project.getSymbolIdFromReflection(member)?.packageName;
      return origin !== undefined && origin !== "exec-server-sdk";
    });
    expect(foreign.map((member) => member.getFullName())).toEqual([]);
  });

  it("has an example of every class, function and method", () => {
    const shown = declarations(ReflectionKind.Class).filter((type) => !hasExample(type));
    const called = declarations(ReflectionKind.FunctionOrMethod)
      .filter(isCalled)
      .flatMap(({ signatures = [] }) => signatures)
      .filter((signature) => !hasExample(signature));
    expect([...shown, ...called].map((reflection) => reflection.getFullName())).toEqual([]);
  });

  it("describes every overload on its own", () => {
    const overloads = project
      .getReflectionsByKind(ReflectionKind.SomeSignature)
      .map(({ parent }) => (parent as DeclarationReflection).signatures ?? [])
      .filter((signatures) => signatures.length > 1);
    const isDistinct = (signatures: readonly SignatureReflection[]): boolean =>
      new Set(signatures.map(textOf)).size === signatures.length && signatures.every(textOf);
    expect(overloads.length).toBeGreaterThan(0);
    expect(overloads.filter((all) => !isDistinct(all)).map(([first]) => first?.getFullName())).toEqual([]);
  });

  it("contains every guide", () => {
    const titles = project.documents?.map(({ name }) => name) ?? [];
    const guides = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
    const others = ["Changelog", "Contributing", "Security"];
    expect(titles.filter((title) => !others.includes(title))).toHaveLength(guides.length);
  });
});
