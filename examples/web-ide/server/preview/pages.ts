import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { framePolicy } from "./headers.ts";

/** A page of the preview's own, in place of one of the dev server's. */
export interface Notice {
  readonly status: number;
  readonly title: string;
  readonly text: string;
  /** The page looks for the dev server, and loads its page as soon as there is one. */
  readonly isWaiting?: boolean;
}

/** Marks the responses that are not the dev server's. */
const MARK = "x-preview-notice";

/** Answers with the page, or with its text where no page is expected. `origin` is the one that may show it in a frame. */
export function answerWith(
  notice: Notice,
  request: IncomingMessage,
  response: ServerResponse,
  origin: string,
): void {
  const isPage = (request.headers.accept ?? "").includes("text/html");
  const nonce = randomBytes(16).toString("base64");
  const policy = `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; connect-src 'self'; base-uri 'none'; form-action 'none'`;
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  response.writeHead(notice.status, {
    "cache-control": "no-store",
    // A body that was refused is not read.
    connection: "close",
    "content-security-policy": framePolicy(policy, origin),
    "content-type": isPage ? "text/html; charset=utf-8" : "text/plain; charset=utf-8",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    [MARK]: "1",
  });
  response.end(isPage ? page(notice, nonce, request.method === "GET") : `${notice.title}\n${notice.text}\n`);
}

function page({ title, text, isWaiting = false }: Notice, nonce: string, isRead: boolean): string {
  // A page that a form has led to is not loaded again: that would send the form again.
  const looksAgain = isWaiting && isRead;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<style nonce="${nonce}">${STYLE}</style>
<main>
<h1>${looksAgain ? "<i></i>" : ""}${escaped(title)}</h1>
<p>${escaped(text)}</p>
</main>
${looksAgain ? `<script nonce="${nonce}">${SCRIPT}</script>` : ""}
</html>
`;
}

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: Canvas; color: CanvasText; }
main { max-width: 32rem; padding: 2rem; }
h1 { margin: 0 0 .5rem; font-size: 1.15rem; font-weight: 600; }
p { margin: 0; opacity: .75; }
i { display: inline-block; width: .6em; height: .6em; margin-right: .6em; border-radius: 50%; background: #d08700;
  animation: breathe 1.6s ease-in-out infinite; }
@keyframes breathe { 50% { opacity: .25; } }
@media (prefers-reduced-motion) { i { animation: none; } }
`;

/** Asks once a second whether the answer is still this page's. */
const SCRIPT = `
const look = async () => {
  const answer = await fetch(location.href, { method: "HEAD", cache: "no-store" }).catch(() => undefined);
  if (answer && !answer.headers.has("${MARK}")) location.reload();
  else setTimeout(look, 1000);
};
setTimeout(look, 1000);
`;

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
