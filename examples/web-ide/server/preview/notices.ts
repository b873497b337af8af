import { ExecServerError } from "exec-server-sdk";
import type { Refusal } from "./admission.ts";
import type { Notice } from "./pages.ts";

export const CLOSED: Notice = {
  status: 404,
  title: "This preview is closed",
  text: "Open the port again in the IDE.",
};

/** What the browser is shown for a refused request. */
export function noticeOfRefusal({ status, reason }: Refusal): Notice {
  switch (reason) {
    case "origin":
      return { status, title: "Refused", text: "Another site has made this request." };
    case "cookie":
      return {
        status,
        title: "Open this preview in the IDE",
        text: "This browser has no cookie for it. Some browsers keep such a cookie only where the IDE is served over https.",
      };
    case "request":
      return { status, title: "Refused", text: "This request can't be passed on." };
  }
}

/** What the browser is shown when a request to the dev server has failed. */
export function noticeOfFailure(error: unknown, port: number): Notice {
  const wait = { status: 502, isWaiting: true };
  if (!(error instanceof ExecServerError)) {
    return {
      status: 502,
      title: `Port ${port} gave no valid answer`,
      text: "The connection was lost, or what listens there does not speak HTTP.",
    };
  }
  if (error.code === "ERR_UNSUPPORTED") {
    return { status: 502, title: "This machine can't show previews", text: error.message };
  }
  if (error.code === "ERR_SERVER") {
    return {
      ...wait,
      title: `Nothing listens on port ${port} yet`,
      text: "This page changes as soon as something does.",
    };
  }
  return {
    ...wait,
    title: "The exec-server can't be reached",
    text: "This page changes as soon as it is back.",
  };
}
