// SPDX-License-Identifier: Apache-2.0
// Usage: node node_clients.mjs MODULES PLAN. The plan is JSON: urls by name, `count`, `tcp`.
// Prints what each step took.
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { run, steps_of, talk } from "./work.mjs";

const [modules, text] = process.argv.slice(2);
const plan = JSON.parse(text);
const require = createRequire(join(resolve(modules), "package.json"));
globalThis.WebSocket ??= require("ws").WebSocket; // Node has one of its own from 22 on.

const { wsconnect } = require("@nats-io/nats-core");
const older = require("nats.ws").connect;
const { connect } = require("nats");

const steps = {};
for (const [place, servers] of Object.entries(plan.urls)) {
  steps[`nats-core through ${place} talks`] = () => talk(wsconnect, { servers });
  steps[`nats.ws through ${place} talks`] = () => talk(older, { servers });
}
Object.assign(
  steps,
  steps_of("nats-core", wsconnect, { servers: plan.urls.nothing }, plan.count),
  steps_of("nats.ws", older, { servers: plan.urls.nothing }, plan.count),
  steps_of("nats over TCP", connect, { servers: plan.tcp }, plan.count),
);
console.log(JSON.stringify(await run(steps)));
process.exit(0);
