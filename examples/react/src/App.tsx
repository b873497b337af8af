import { LazyExecServerClient, webSocket } from "exec-server-sdk";
import { useEffect, useState, useSyncExternalStore } from "react";

const form = { url: "ws://127.0.0.1:8787", token: "", command: "date; sleep 5; date" };

// It connects on the first use, with what is entered then.
const client = new LazyExecServerClient({
  transport: webSocket(() => ({ url: form.url, protocols: ["exec-server-gateway", form.token] })),
  keepAlive: true,
});

function Output({ command }: { command: string }) {
  const [output, setOutput] = useState("");
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const print = (text: string) => {
      if (!signal.aborted) setOutput((all) => (all + text).slice(-100_000));
    };
    async function run() {
      const job = await client.start(["sh", "-c", command], { signal });
      const decoder = new TextDecoder();
      for await (const { chunk } of job) print(decoder.decode(chunk, { stream: true }));
      print(`exit code ${(await job.closed).exitCode}`);
    }
    run().catch(({ code, message }) => print(`${code}: ${message}`));
    return () => controller.abort(); // ends the process, too
  }, [command]);
  return <pre>{output}</pre>;
}

export default function App() {
  const state = useSyncExternalStore(client.onStateChange, () => client.state);
  const [run, setRun] = useState({ id: 0, command: "" });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        Object.assign(form, Object.fromEntries(new FormData(event.currentTarget)));
        setRun(({ id }) => ({ id: id + 1, command: form.command }));
      }}
    >
      <input name="url" placeholder="Gateway" defaultValue={form.url} />
      <input name="token" type="password" placeholder="Token" required />
      <input name="command" placeholder="Command" defaultValue={form.command} />
      <button type="submit">Run</button>
      <output>{state}</output>
      {run.id > 0 && <Output key={run.id} command={run.command} />}
    </form>
  );
}
