/** A program that runs one gateway: `gateway-process.ts UPSTREAM ORIGIN TOKEN PORT` */
import { createGateway } from "exec-server-sdk/gateway";
import { webSocket } from "exec-server-sdk/node";

const [upstream = "", origin = "", token = "", port = "0"] = process.argv.slice(2);
const gateway = createGateway({
  upstream: webSocket(upstream),
  allowedOrigins: [origin],
  authorize: { token },
});
const { url } = await gateway.listen({ port: Number(port) });
process.stdout.write(`${url}\n`);
