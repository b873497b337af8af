import type { IncomingMessage, ServerResponse } from "node:http";

/** Bytes of a request's body. */
const MAX_BODY = 4096;

export interface ApiRequest {
  /** The last part of the path, where the action's path ends with `:id`. */
  readonly id: string;
  /** The parsed JSON; undefined without a body. */
  readonly body: unknown;
}

/** What the page can do, by method and path. The result is sent as JSON. */
export type Actions = Readonly<Record<string, (request: ApiRequest) => unknown>>;

/** A failed action, with a status and a sentence for the page. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Performs actions for the page of the same origin only. */
export async function answerApi(
  actions: Actions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const name = `${request.method} ${request.url}`;
  const id = name.slice(name.lastIndexOf("/") + 1);
  const action = actions[name] ?? actions[`${name.slice(0, -id.length)}:id`];
  if (!action) return answer(response, 404);
  if (!isFromThePage(request)) return answer(response, 403);
  try {
    answer(response, 200, await action({ id, body: await readJson(request) }));
  } catch (error) {
    const { status, message } = error instanceof HttpError ? error : new HttpError(500, "Failed.");
    answer(response, status, { error: message });
  }
}

export function answer(response: ServerResponse, status: number, body: unknown = {}): void {
  response.writeHead(status, {
    "cache-control": "no-store",
    "content-type": "application/json",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
  });
  response.end(JSON.stringify(body));
}

/** The browser sets this header. A page can not change it. */
function isFromThePage({ headers }: IncomingMessage): boolean {
  return headers["sec-fetch-site"] === "same-origin";
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) {
    text += chunk;
    if (text.length > MAX_BODY) throw new HttpError(413, "The request is too long.");
  }
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpError(400, "The request is not JSON.");
  }
}
