const root = require("exec-server-sdk");
const gateway = require("exec-server-sdk/gateway");
const node = require("exec-server-sdk/node");

void import("./entries.mjs").then(({ main }) => main({ root, node, gateway }));
