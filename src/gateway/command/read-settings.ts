import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { received } from "../../internal/arguments.ts";
import { flagOf, memberOf, SETTING_ENTRIES, SETTINGS, type SettingName, variableOf } from "./settings.ts";

/** A mistake in the command line, the environment or a file. The message is printed as it is. */
export class CommandLineError extends Error {}

/** What was given for one setting, and where, for error messages. */
export interface Given {
  readonly source: string;
  readonly values: readonly string[];
}

/** The settings of one run. */
export interface Settings {
  readonly given: ReadonlyMap<SettingName, Given>;
  /** The command that is started for each page. */
  readonly command: readonly string[] | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads flags, then variables, then the configuration file. The first that gives a setting prevails. */
export function readSettings(args: readonly string[], env: Environment): Settings {
  const end = args.indexOf("--");
  const flags = fromFlags(end < 0 ? args : args.slice(0, end));
  const variables = fromVariables(env);
  const config = text(flags, "config") ?? text(variables, "config");
  const file = config === undefined ? undefined : fromFile(config);
  return {
    given: new Map([...(file?.given ?? []), ...variables, ...flags]),
    command: end < 0 ? file?.command : args.slice(end + 1),
  };
}

function text(given: ReadonlyMap<SettingName, Given>, name: SettingName): string | undefined {
  return given.get(name)?.values[0];
}

function fromFlags(args: readonly string[]): Map<SettingName, Given> {
  const options = Object.fromEntries(
    SETTING_ENTRIES.map(([name, { kind }]) => [
      name,
      {
        type: kind === "switch" ? ("boolean" as const) : ("string" as const),
        multiple: kind === "list",
        ...(name === "help" ? { short: "h" } : {}),
      },
    ]),
  );
  try {
    // Arguments after `--` are split off before, because parseArgs does not tell them from positional ones.
    const { values } = parseArgs({ args: [...args], options });
    return new Map(
      Object.entries(values).map(([name, value]) => [
        name as SettingName,
        { source: flagOf(name), values: [value ?? []].flat().map(String) },
      ]),
    );
  } catch (error) {
    // Only the first sentence: the others suggest positional arguments, which this command does not take.
    const problem = (error as Error).message.replace(/\. .*$/s, "");
    const hint = problem.startsWith("Unexpected argument") ? ": a command stands after --" : "";
    throw new CommandLineError(problem + hint);
  }
}

function fromVariables(env: Environment): Map<SettingName, Given> {
  const given = new Map<SettingName, Given>();
  for (const [name, { kind }] of SETTING_ENTRIES) {
    const source = variableOf(name);
    const value = env[source];
    // An empty variable is as good as none: container tools can't leave one out.
    if (kind === "switch" || value === undefined || value === "") continue;
    given.set(name, { source, values: kind === "list" ? value.split(/[\s,]+/).filter(Boolean) : [value] });
  }
  return given;
}

function fromFile(file: string): Settings {
  const { command, ...members } = jsonObject("--config", file);
  const given = new Map<SettingName, Given>();
  for (const [member, value] of Object.entries(members)) {
    const [name, setting] = SETTING_ENTRIES.find(([each]) => memberOf(each) === member) ?? [];
    const source = `${JSON.stringify(member)} in ${file}`;
    if (!name || !setting || setting.kind === "switch" || name === "config") {
      const names = SETTING_ENTRIES.filter(([each, { kind }]) => kind !== "switch" && each !== "config");
      const known = [...names.map(([each]) => memberOf(each)), "command"];
      throw new CommandLineError(`${source} must be one of ${known.join(", ")}`);
    }
    given.set(name, { source, values: valuesOf(source, setting.kind, value) });
  }
  return {
    given,
    command: command === undefined ? undefined : stringList(`"command" in ${file}`, command),
  };
}

function valuesOf(source: string, kind: "text" | "number" | "list", value: unknown): readonly string[] {
  if (kind === "list") return stringList(source, value);
  const isRight = kind === "number" ? typeof value === "number" : typeof value === "string";
  if (!isRight) {
    const expected = kind === "number" ? "number" : "string";
    throw new CommandLineError(`${source} must be a ${expected}, got ${received(value)}`);
  }
  return [String(value)];
}

function stringList(source: string, value: unknown): readonly string[] {
  if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value;
  throw new CommandLineError(`${source} must be an array of strings, got ${received(value)}`);
}

/** The JSON object in a file. No error quotes it: it can hold tokens. */
export function jsonObject(option: string, file: string): Readonly<Record<string, unknown>> {
  const content = readText(option, file);
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    throw new CommandLineError(`${option} ${file} must hold JSON, got text that can't be parsed`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new CommandLineError(`${option} ${file} must hold a JSON object, got ${received(value)}`);
  }
  return value as Readonly<Record<string, unknown>>;
}

export function readText(option: string, file: string): string {
  return readBytes(option, file).toString("utf8");
}

export function readBytes(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code } = error as { code?: unknown };
    throw new CommandLineError(`${option} must be a readable file, got ${String(code)} for ${file}`);
  }
}

/** The value of a setting, or its default. */
export function textOf(settings: Settings, name: SettingName): string | undefined {
  const { default: preset } = SETTINGS[name] as { default?: string };
  return text(settings.given, name) ?? preset;
}

/** A number, or undefined to leave the default to `createGateway()`. */
export function numberOf({ given }: Settings, name: SettingName): number | undefined {
  const { source, values } = given.get(name) ?? {};
  const value = values?.[0];
  if (value === undefined) return undefined;
  if (!/^\d{1,10}$/.test(value)) {
    throw new CommandLineError(`${source} must be a whole number, got ${JSON.stringify(value)}`);
  }
  return Number(value);
}
