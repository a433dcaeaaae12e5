// SPDX-License-Identifier: Apache-2.0
// Usage: node http_proxy.mjs MODULES TARGET. A server that passes everything below /nats on; prints
// its port.
import { createRequire } from "node:module";
import { createServer } from "node:http";
import { join, resolve } from "node:path";

const [modules, target] = process.argv.slice(2);
const require = createRequire(join(resolve(modules), "package.json"));
const proxy = require("http-proxy").createProxyServer({ target, ws: true, xfwd: true });
proxy.on("error", (error) => console.error(String(error)));
const server = createServer((_, response) => response.end("not here\n"));
server.on("upgrade", (request, socket, head) => {
  if (!request.url.startsWith("/nats")) return socket.destroy();
  proxy.ws(request, socket, head);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
