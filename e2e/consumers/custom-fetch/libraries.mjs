/** Libraries that take a custom fetch, with that of a client. Prints what each of them got from a local origin. */
import { createServer } from "node:http";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import axios from "axios";
import { LazyExecServerClient } from "exec-server-sdk";
import { webSocket } from "exec-server-sdk/node";
import ky from "ky";
import OpenAI, { toFile } from "openai";

const { url } = JSON.parse(process.argv[2]);
const MODEL = "model";

const text = async (request) => Buffer.concat(await request.toArray()).toString();
const completion = (content) => ({
  id: "1",
  object: "chat.completion",
  choices: [{ index: 0, message: { content } }],
});
const chunk = (content) =>
  `data: ${JSON.stringify({ id: "1", choices: [{ index: 0, delta: { content } }] })}\n\n`;

let failures = 2;
const routes = {
  "POST /v1/chat/completions": async (request, response) => {
    const { stream, messages } = JSON.parse(await text(request));
    response.setHeader("content-type", stream ? "text/event-stream" : "application/json");
    if (!stream) return void response.end(JSON.stringify(completion(messages[0].content)));
    for (const piece of ["a", "b"]) response.write(chunk(piece));
    response.end("data: [DONE]\n\n");
  },
  "POST /v1/files": async (request, response) => {
    const body = await text(request);
    const isForm = /^multipart\/form-data; boundary=/.test(request.headers["content-type"] ?? "");
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ id: isForm && body.includes("in the file") ? "uploaded" : "broken" }));
  },
  "GET /flaky": (_, response) => {
    response.statusCode = failures-- > 0 ? 503 : 200;
    response.end(JSON.stringify({ attempts: 2 - failures }));
  },
  "POST /echo": async (request, response) => response.end(await text(request)),
  "PUT /length": (request, response) => response.end(request.headers["content-length"] ?? "none"),
  "GET /hang": () => {},
};

const mcp = new McpServer({ name: "origin", version: "1" });
mcp.registerTool("greet", { description: "greets" }, () => ({ content: [{ type: "text", text: "hello" }] }));
const mcpTransport = new StreamableHTTPServerTransport({ sessionIdGenerator: () => "session" });
await mcp.connect(mcpTransport);

const origin = createServer((request, response) => {
  if (request.url === "/mcp") return void mcpTransport.handleRequest(request, response);
  const route = routes[`${request.method} ${request.url}`];
  if (route) return void route(request, response);
  response.statusCode = 404;
  response.end();
});
await new Promise((resolve) => origin.listen(0, "127.0.0.1", resolve));
const base = `http://127.0.0.1:${origin.address().port}`;

async function useOpenAi({ fetch }) {
  const openai = new OpenAI({ apiKey: "key", baseURL: `${base}/v1`, fetch, maxRetries: 0 });
  const messages = [{ role: "user", content: "hi" }];
  const whole = await openai.chat.completions.create({ model: MODEL, messages });
  const pieces = [];
  for await (const { choices } of await openai.chat.completions.create({
    model: MODEL,
    messages,
    stream: true,
  }))
    pieces.push(choices[0].delta.content);
  const file = await openai.files.create({
    file: await toFile(Buffer.from("in the file"), "a.txt"),
    purpose: "batch",
  });
  return [whole.choices[0].message.content, pieces.join(""), file.id];
}

async function useKy({ fetch }) {
  const api = ky.create({ fetch, retry: { limit: 3, delay: () => 1 } });
  const flaky = await api.get(`${base}/flaky`).json();
  const echo = await api.post(`${base}/echo`, { json: { a: 1 } }).json();
  const late = await api.get(`${base}/hang`, { timeout: 50, retry: 0 }).catch((error) => error.name);
  return [flaky.attempts, echo.a, late];
}

async function useAxios({ fetch }) {
  const api = axios.create({ adapter: "fetch", env: { fetch, Request, Response } });
  const echo = await api.post(`${base}/echo`, { a: 1 });
  const length = await api.put(`${base}/length`);
  const stream = await api.post(`${base}/echo`, "text", { responseType: "stream" });
  const missing = await api.get(`${base}/missing`).catch((error) => error.response.status);
  const late = await api.get(`${base}/hang`, { timeout: 50 }).catch((error) => error.code);
  return [echo.data.a, String(length.data), await new globalThis.Response(stream.data).text(), missing, late];
}

async function useMcp({ fetch }) {
  const client = new Client({ name: "client", version: "1" });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${base}/mcp`), { fetch }));
  const { tools } = await client.listTools();
  const { content } = await client.callTool({ name: "greet", arguments: {} });
  await client.close();
  return [tools[0].name, content[0].text];
}

const report = {};
for (const fetchConnection of ["shared", "own"]) {
  failures = 2;
  const client = new LazyExecServerClient({ transport: webSocket(url), fetchConnection });
  report[fetchConnection] = {
    openai: await useOpenAi(client),
    ky: await useKy(client),
    axios: await useAxios(client),
    mcp: fetchConnection === "own" ? undefined : await useMcp(client),
  };
  await client.close();
}
origin.closeAllConnections();
origin.close();
process.stdout.write(JSON.stringify(report));
