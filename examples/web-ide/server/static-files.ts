import { readdirSync, readFileSync, statSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join, sep } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Headers of every response, beside the Content-Security-Policy. */
const HEADERS = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** The files of a built page. They are read once in the constructor, so no request can reach another file. */
export class StaticFiles {
  readonly #files = new Map<string, { readonly type: string; readonly body: Buffer }>();

  constructor(directory: string) {
    for (const name of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
      const file = join(directory, name);
      const type = TYPES[extname(name)];
      if (!type || !statSync(file).isFile()) continue;
      this.#files.set(`/${name.split(sep).join("/")}`, { type, body: readFileSync(file) });
    }
  }

  /** Responds to a GET request for one of the files. Returns false for any other request. */
  answer(
    request: Pick<IncomingMessage, "method" | "url">,
    response: ServerResponse,
    contentSecurityPolicy: string,
    cacheControl = "no-store",
  ): boolean {
    const path = request.url === "/" ? "/index.html" : (request.url ?? "");
    const file = this.#files.get(path);
    if (!file || request.method !== "GET") return false;
    response.writeHead(200, {
      ...HEADERS,
      "cache-control": cacheControl,
      "content-security-policy": contentSecurityPolicy,
      "content-type": file.type,
    });
    response.end(file.body);
    return true;
  }
}
