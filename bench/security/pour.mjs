// SPDX-License-Identifier: Apache-2.0
// Usage: node pour.mjs MODULES URL COUNT CLIENTS TRANSPORT: publishes COUNT messages, by so many
// clients at once, of @nats-io/nats-core ("ws") or of nats 2.29 ("tcp").
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pour } from "../../tests/websocket/work.mjs";

const [modules, servers, count, clients, transport] = process.argv.slice(2);
const require = createRequire(join(resolve(modules), "package.json"));
globalThis.WebSocket ??= require("ws").WebSocket; // Node has one of its own from 22 on.
const connect = transport === "ws" ? require("@nats-io/nats-core").wsconnect : require("nats").connect;
await pour(connect, { servers }, Number(clients), count / clients);
process.exit(0);
