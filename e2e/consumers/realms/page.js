/** Passes values of the frame to the SDK of the page, and values of the page to the SDK of the frame. */
import { LazyExecServerClient, webSocket } from "exec-server-sdk";
import { useForeignValues } from "./foreign.cjs";

const { url, token, origin } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

async function use(sdk, realm) {
  const protocols = ["exec-server-gateway", token];
  const transport = sdk.webSocket(new realm.URL(url), { protocols: realm.Array.of(...protocols) });
  const client = new sdk.LazyExecServerClient({ transport });
  try {
    return await useForeignValues(client, realm, origin);
  } finally {
    await client.close();
  }
}

async function main() {
  const frame = document.querySelector("iframe").contentWindow;
  const inPage = await use({ LazyExecServerClient, webSocket }, frame);
  const inFrame = await use(frame.sdk, window);
  return JSON.stringify({ inPage, inFrame });
}

// The modules of both documents have been evaluated.
addEventListener("load", () => {
  void main()
    .catch((error) => String(error?.stack ?? error))
    .then((text) => {
      const result = document.createElement("pre");
      result.textContent = text;
      document.body.append(result);
    });
});
