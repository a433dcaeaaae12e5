// SPDX-License-Identifier: Apache-2.0
// Usage: node driver.mjs MODULES CONTROL. MODULES is the folder of `node_modules`.
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { run } from "./scenario.mjs";

const [modules, control] = process.argv.slice(2);
const require = createRequire(join(resolve(modules), "package.json"));
const { connect, headers } = require("@nats-io/transport-node");

const describe = (error) => `${error.name}: ${error.message}`;

await run({
  connect,
  headers,
  describe,
  describe_event: (event) => describe(event.error),
}, control);
