// SPDX-License-Identifier: Apache-2.0
// A nats.js subscriber that counts; told to stop by a line, it prints what it saw.
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.NATS_MODULES, "x.js"));
const { connect } = require("@nats-io/transport-node");

const seen = { received: 0, disconnects: 0, errors: [] };
const client = await connect({ servers: `127.0.0.1:${process.argv[2]}` });
client.subscribe("full.speed", { callback: () => { seen.received += 1; } });
(async () => {
  for await (const status of client.status()) {
    if (status.type === "disconnect") seen.disconnects += 1;
    if (seen.errors.length < 3) seen.errors.push(String(status.type));
  }
})();
await client.flush();
console.log("ready");
process.stdin.once("data", () => {
  console.log(JSON.stringify(seen));
  process.exit(0);
});
