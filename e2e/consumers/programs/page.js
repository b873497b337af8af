/** The story as a page has it: the address comes in the fragment, what it saw becomes its text. */
import { LazyExecServerClient, webSocket } from "exec-server-sdk";
import { life } from "./story.mjs";

const { url, token, origin } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

function connect(dialled) {
  const target = () => {
    dialled();
    return url;
  };
  const protocols = ["exec-server-gateway", token];
  return new LazyExecServerClient({ transport: webSocket(target, { protocols }) });
}

life(connect, origin).then(
  (told) => show(JSON.stringify(told)),
  (error) => show(String(error?.stack ?? error)),
);

function show(text) {
  const result = document.createElement("pre");
  result.textContent = text;
  document.body.append(result);
}
