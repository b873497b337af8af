import type { Rule } from "../internal/option-rules.ts";

/** A client, or what stands for one: by the member that is used of it. */
export function aClientWith(member: "connectTcp()" | "fs"): Rule {
  const name = member.replace("()", "");
  const type = name === member ? "object" : "function";
  return (value) => {
    const found = (value as Readonly<Record<string, unknown>> | null | undefined)?.[name];
    return found && typeof found === type ? undefined : `a client with ${member}`;
  };
}
