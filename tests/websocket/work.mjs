// SPDX-License-Identifier: Apache-2.0
// What a page in a browser and a program in node both do with a client, whichever it is.
const text = new TextEncoder();

function check(condition, what) {
  if (!condition) throw new Error(what);
}

/** Publishes to itself and asks itself; payloads of many sizes come back as they went. */
export async function talk(connect, options) {
  const nc = await connect(options);
  const inbox = `talk.${Math.random().toString(36).slice(2)}`;
  const sizes = [0, 1, 100, 125, 126, 4095, 4096, 4097, 65535, 65536, 500_000];
  const echo = nc.subscribe(inbox, { max: sizes.length });
  const received = (async () => {
    const seen = [];
    for await (const message of echo) seen.push(message.data);
    return seen;
  })();
  for (const size of sizes) {
    nc.publish(inbox, Uint8Array.from({ length: size }, (_, i) => (i * 7) % 251));
  }
  (await received).forEach((data, n) => {
    check(data.length === sizes[n], `${data.length} bytes instead of ${sizes[n]}`);
    data.forEach((byte, i) => check(byte === (i * 7) % 251, `byte ${i} of ${sizes[n]}`));
  });
  nc.subscribe(`${inbox}.twice`, {
    callback: (_, message) => message.respond(text.encode(new TextDecoder().decode(message.data).repeat(2))),
  });
  const answer = await nc.request(`${inbox}.twice`, text.encode("ab"), { timeout: 5000 });
  check(new TextDecoder().decode(answer.data) === "abab", "the answer is another");
  await nc.drain();
}

/** So many clients publish so often each without waiting, and then drain. */
export async function pour(connect, options, clients, count) {
  // All are in before the first one keeps this thread busy.
  const connected = await Promise.all(Array.from({ length: clients }, () => connect(options)));
  await Promise.all(connected.map((nc) => {
    for (let i = 0; i < count; i++) nc.publish("hello", "world");
    return nc.drain();
  }));
}

/** Runs steps one after the other: what each took, in milliseconds, or why it failed. */
export async function run(steps) {
  const results = {};
  for (const [name, step] of Object.entries(steps)) {
    const begin = performance.now();
    try {
      await step();
      results[name] = Math.round(performance.now() - begin);
    } catch (error) {
      results[name] = `failed: ${error && error.stack || error}`;
    }
  }
  return results;
}

/** The same for any client: talking, and pouring by one and by five at once, each as much. */
export function steps_of(name, connect, options, count) {
  return {
    [`${name} talks`]: () => talk(connect, options),
    [`${name} pours alone`]: () => pour(connect, options, 1, count),
    [`${name} pours with four others`]: () => pour(connect, options, 5, count),
  };
}
