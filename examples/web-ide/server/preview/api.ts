import { type Actions, HttpError } from "../api.ts";
import type { Preview } from "./preview.ts";
import type { Registry } from "./registry.ts";

/** The actions of the IDE's page on previews. */
export function previewActions(registry: Registry): Actions {
  return {
    "GET /api/previews": () => registry.list().map(describe),
    // Also for a port that is open: each call makes one more URL that admits a browser.
    "POST /api/previews": ({ body }) => {
      const preview = registry.open((body as { port?: unknown } | null | undefined)?.port);
      return { ...describe(preview), url: preview.admittingUrl() };
    },
    "DELETE /api/previews/:id": async ({ id }) => {
      if (!(await registry.close(id))) throw new HttpError(404, "There is no such preview.");
      return {};
    },
  };
}

function describe({ id, port, origin }: Preview): Pick<Preview, "id" | "port" | "origin"> {
  return { id, port, origin };
}
