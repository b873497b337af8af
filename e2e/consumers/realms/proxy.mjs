/** Uses a client through a Proxy that also wraps what it holds, as reactive and recording libraries do. */
import { LazyExecServerClient, webSocket } from "exec-server-sdk";
import { useForeignValues } from "./foreign.cjs";
import parameters from "./parameters.cjs";

function deep(target) {
  return new Proxy(target, {
    get(object, name, receiver) {
      const value = Reflect.get(object, name, receiver);
      return typeof value === "object" && value !== null && !isOfPlatform(value) ? deep(value) : value;
    },
  });
}

/** The platform's own objects do not work through a Proxy. */
function isOfPlatform(value) {
  return [Promise, ReadableStream, WritableStream].some((Class) => value instanceof Class);
}

const { origin, url } = parameters;
const client = deep(new LazyExecServerClient({ transport: webSocket(url) }));
const cat = deep(await client.start(["cat"], { stdin: "pipe" }));
await cat.write("kept");
const { value } = await cat[Symbol.asyncIterator]().next();
await cat.terminate();
const kept = String.fromCharCode(...value.chunk);
const used = await useForeignValues(client, globalThis, origin);
const usedConnection = await useForeignValues(deep(await client.get()), globalThis, origin);
await client.close();
process.stdout.write(JSON.stringify({ kept, used, usedConnection, state: client.state }));
