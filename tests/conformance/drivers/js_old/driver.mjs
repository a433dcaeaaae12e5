// SPDX-License-Identifier: Apache-2.0
// Usage: node driver.mjs MODULES CONTROL. MODULES is the folder of `node_modules`.
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { run } from "../js/scenario.mjs";

const [modules, control] = process.argv.slice(2);
const require = createRequire(join(resolve(modules), "package.json"));
const { connect, headers } = require("nats");

await run({
  connect,
  headers,
  describe: (error) => `${error.name}: ${error.code ?? ""} ${error.message}`,
  describe_event: (event) => {
    const { operation, subject, queue } = event.permissionContext ?? {};
    return [event.data, operation, subject, queue].filter(Boolean).join(" ");
  },
}, control);
