/**
 * Arranges the API reference: what a folder of the source exports forms a category, and a document is named by its heading.
 * Base classes that are not exported are not mentioned, because their names lead nowhere.
 */
import { join, relative } from "node:path";
import { Comment, CommentTag, Converter, ReflectionKind } from "typedoc";

/** The category of an export, by the beginning of its file's path in `src`. The first match counts. */
const CATEGORIES = [
  ["client/server-requests", "Sandbox and network"],
  ["client", "Clients"],
  ["errors", "Errors"],
  ["filesystem", "Files"],
  ["internal/awaitable", "Protocol"],
  ["internal/contents", "Files"],
  ["process/network", "Sandbox and network"],
  ["process", "Processes"],
  ["internal/byte-queue", "Processes"],
  ["http", "HTTP and TCP"],
  ["tcp", "HTTP and TCP"],
  ["protocol/sandbox", "Sandbox and network"],
  ["protocol/process", "Processes"],
  ["protocol/remote-path", "Files"],
  ["protocol/json-rpc", undefined],
  ["protocol", "Protocol"],
  ["rpc", "Clients"],
  ["transport/transport", "Custom transports"],
  ["transport", "Transports"],
  ["node/folders", "Folders"],
  ["node/ports", "Ports"],
  ["node", "Transports"],
];

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    if (!reflection.parent?.kindOf(ReflectionKind.Module)) return;
    const file = context.getSymbolFromReflection(reflection)?.declarations?.[0]?.getSourceFile().fileName;
    const path = file && relative(join(import.meta.dirname, "../src"), file);
    const category = CATEGORIES.find(([start]) => path?.startsWith(start))?.[1];
    if (!category || reflection.comment?.getTag("@category")) return;
    reflection.comment ??= new Comment();
    reflection.comment.blockTags.push(new CommentTag("@category", [{ kind: "text", text: category }]));
  });
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, document) => {
    const [, title] = /^# (.+)\n/.exec(document.content[0]?.text ?? "") ?? [];
    if (title) document.name = title;
  });
  const isNamed = (type) => type.reflection || type.package !== "exec-server-sdk";
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const reflection of Object.values(project.reflections))
      if (reflection.extendedTypes) reflection.extendedTypes = reflection.extendedTypes.filter(isNamed);
  });
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    unlinkFolders(project.readme);
    for (const reflection of Object.values(project.reflections)) {
      unlinkFolders(reflection.content);
      for (const name of ["inheritedFrom", "overwrites"])
        if (!reflection[name]?.reflection) delete reflection[name];
    }
  });
}

/** Only files of the repository are in the reference: a link to a folder becomes its text. */
function unlinkFolders(parts = []) {
  for (const [index, part] of parts.entries()) {
    if (part.kind !== "relative-link" || /\.\w+$/.test(part.text)) continue;
    // The text `[label](` before the path, in which the label can be a part of its own.
    parts[index - 1].text = parts[index - 1].text.replace(/\]\($/, "");
    const opening = parts.slice(0, index).findLast(({ kind, text }) => kind === "text" && text.includes("["));
    if (opening) opening.text = opening.text.replace(/\[(?=[^[]*$)/, "");
    parts[index] = { kind: "text", text: "" };
    parts[index + 1].text = parts[index + 1].text.replace(/^\)/, "");
  }
}
