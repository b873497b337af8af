/** Passes values of a vm context to the SDK. The context has the classes of the language only. */
import vm from "node:vm";
import { LazyExecServerClient, webSocket } from "exec-server-sdk";
import { useForeignValues } from "./foreign.cjs";
import parameters from "./parameters.cjs";

const { origin, url } = parameters;
const classes = vm.runInNewContext("({ Uint8Array, DataView })");
const platform = { URL, AbortController, Headers, Request, Blob, FormData, ReadableStream, URLSearchParams };
const client = new LazyExecServerClient({ transport: webSocket(url) });
const used = await useForeignValues(client, { ...platform, ...classes }, origin);
await client.close();
process.stdout.write(JSON.stringify(used));
