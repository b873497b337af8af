import * as root from "exec-server-sdk";
import * as gateway from "exec-server-sdk/gateway";
import * as node from "exec-server-sdk/node";
import { main } from "./entries.mjs";

await main({ root, node, gateway });
