// SPDX-License-Identifier: Apache-2.0
// Usage: node sign_in.mjs MODULES ATTEMPTS. Tries to come in by each of the attempts (JSON), and
// prints a line for each: "in", or why not.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const [modules, text] = process.argv.slice(2);
const require = createRequire(join(resolve(modules), "package.json"));
const { connect, credsAuthenticator, nkeyAuthenticator } = require("@nats-io/transport-node");

async function attempt({ url, user, password, token, seed, creds, ca, cert, key, first }) {
  const options = { servers: url, reconnect: false, timeout: 5000, user, pass: password, token };
  if (seed) options.authenticator = nkeyAuthenticator(readFileSync(seed));
  if (creds) options.authenticator = credsAuthenticator(readFileSync(creds));
  if (ca || cert || first) {
    options.tls = { caFile: ca, certFile: cert, keyFile: key, handshakeFirst: first };
  }
  const nc = await connect(options);
  const echo = nc.subscribe("probe", { max: 1 });
  nc.publish("probe", "x");
  for await (const message of echo) if (message.string() !== "x") throw new Error("another message");
  await nc.close();
}

for (const one of JSON.parse(text)) {
  try {
    await attempt(one);
    console.log("in");
  } catch (error) {
    console.log(`out: ${error.message}`.replaceAll("\n", " "));
  }
}
process.exit(0);
