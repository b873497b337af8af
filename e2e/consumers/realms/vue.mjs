/** Keeps a client, its connection and a process in the reactive state of Vue. */
import { LazyExecServerClient, webSocket } from "exec-server-sdk";
import { reactive, ref } from "vue";
import { useForeignValues } from "./foreign.cjs";
import parameters from "./parameters.cjs";

const { origin, url } = parameters;
const client = ref(new LazyExecServerClient({ transport: webSocket(url) }));
const state = reactive({ client: client.value, connection: await client.value.get(), cats: [] });
state.cats.push(await client.value.start(["cat"], { stdin: "pipe" }));
await state.cats[0].write("kept");
const { value } = await state.cats[0][Symbol.asyncIterator]().next();
await state.cats[0].terminate();
const kept = String.fromCharCode(...value.chunk);
const used = await useForeignValues(state.client, globalThis, origin);
const usedConnection = await useForeignValues(state.connection, globalThis, origin);
await client.value.close();
process.stdout.write(JSON.stringify({ kept, used, usedConnection, state: state.client.state }));
