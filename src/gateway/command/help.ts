import { flagOf, memberOf, SETTING_ENTRIES, type Setting, variableOf } from "./settings.ts";

const INTRODUCTION = `Lets the pages of a web application reach a Codex exec-server.

  exec-server-gateway --origin ORIGIN --upstream ws://HOST:PORT [--upstream-token-file FILE] [options]
  exec-server-gateway --origin ORIGIN [options] -- codex exec-server --listen stdio --concurrent-requests 8

The command after -- is started once for each page. A connected page can run any command, so origins, hosts and the
token must match exactly. Each option is also a variable, such as EXEC_SERVER_GATEWAY_ORIGIN, and a member of the
configuration file, such as "maxConnections". SIGHUP reads token files and certificates again.
`;

const GROUPS = ["Pages", "Users", "The exec-server", "Limits", "Operation"] as const;

const signature = (name: string, { value }: Setting): string =>
  `${flagOf(name)}${value === undefined ? "" : ` ${value}`}`;

function details({ kind, default: preset }: Setting): string {
  const notes = [kind === "list" ? "repeatable" : "", preset === undefined ? "" : `default ${preset}`];
  const text = notes.filter(Boolean).join(", ");
  return text === "" ? "" : ` (${text})`;
}

/** The text of `--help`. */
export function usage(): string {
  const width = Math.max(...SETTING_ENTRIES.map(([name, setting]) => signature(name, setting).length)) + 2;
  const groups = GROUPS.map((group) => {
    const lines = SETTING_ENTRIES.filter(([, setting]) => setting.group === group).map(
      ([name, setting]) => `  ${signature(name, setting).padEnd(width)}${setting.help}${details(setting)}`,
    );
    return `${group}:\n${lines.join("\n")}\n`;
  });
  return `${INTRODUCTION}\n${groups.join("\n")}`;
}

/** The same as a table in Markdown, for the docs. */
export function optionsTable(): string {
  const rows = SETTING_ENTRIES.filter(([, { kind }]) => kind !== "switch").map(([name, setting]) => {
    const { help, kind, default: preset = "" } = setting;
    const repeats = kind === "list" ? "; repeatable" : "";
    return `| \`${signature(name, setting)}\` | \`${variableOf(name)}\` | \`${memberOf(name)}\` | ${help}${repeats} | ${preset} |`;
  });
  return ["| flag | variable | member | | default |", "|---|---|---|---|---|", ...rows].join("\n");
}
