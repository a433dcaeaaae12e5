// SPDX-License-Identifier: Apache-2.0
// Plays the steps of a behaviour on a NATS client for JavaScript and writes down what is seen.
// The two generations of the client differ little: what differs is in `client` (see the drivers).
import { createHash } from "node:crypto";

const patience_ms = 8000;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function within(ms, promise, otherwise) {
  let timer;
  const late = new Promise((resolve) => { timer = setTimeout(() => resolve(otherwise), ms); });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function until(condition) {
  const end = Date.now() + patience_ms;
  while (!condition() && Date.now() < end) await sleep(5);
  return condition();
}

function show_payload(bytes) {
  const text = Buffer.from(bytes).toString("utf8");
  if (bytes.length <= 200 && !text.includes("\ufffd")) return JSON.stringify(text);
  const digest = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  return `<${bytes.length} bytes ${digest}>`;
}

function show_message(message) {
  const parts = [message.subject];
  if (message.reply) parts.push(`reply=${message.reply}`);
  if (message.headers) {
    const { code, description } = message.headers;
    if (code) parts.push(`status=${code} ${description}`.trimEnd());
    const fields = [...message.headers].flatMap(([k, vs]) => vs.map((v) => `${k}: ${v}`));
    parts.push(`[${fields.join(" | ")}]`);
  }
  parts.push(show_payload(message.data));
  return parts.join(" ");
}

function make_payload(payload, options, index) {
  if (options.size !== undefined) return new Uint8Array(options.size).fill(120);
  if (options.base64 !== undefined) return Buffer.from(options.base64, "base64");
  return payload === "#" ? String(index) : payload;
}

class scenario {
  constructor(client, control) {
    this.client = client;
    this.control = control;
    this.lines = [];
    this.connections = new Map();
    this.subscriptions = new Map();
  }

  async play(behaviour) {
    const lease = await this.ask({ op: "lease", id: behaviour.id });
    this.lease = lease.lease;
    this.urls = lease.urls;
    try {
      const end = Date.now() + 60000;
      for (const [verb, ...rest] of behaviour.steps) {
        const step = this[`do_${verb}`];
        const work = step ? step.apply(this, rest) : this.remote(verb, rest);
        const late = Symbol();
        if (await within(end - Date.now(), work, late) === late) throw new Error(`${verb} never ended`);
      }
    } catch (error) {
      this.say(`missing: ${error.stack}`);
    }
    for (const { nc } of this.connections.values()) await within(2000, nc.close().catch(() => {}));
    await this.ask({ op: "release", lease: this.lease });
    return this.lines;
  }

  say(line) { this.lines.push(line); }

  async ask(body) {
    const answer = await fetch(this.control, { method: "POST", body: JSON.stringify(body) });
    return await answer.json();
  }

  /// What is not the client's own is done by the runner: servers, relays, monitoring.
  async remote(verb, rest) {
    const cids = {};
    for (const [name, { cid }] of this.connections) cids[name] = cid;
    const answer = await this.ask({ op: verb, args: rest, lease: this.lease, cids });
    this.lines.push(...answer.lines ?? []);
    Object.assign(this.urls, answer.urls);
    return answer;
  }

  async do_connect(name, options = {}) {
    const settings = {
      servers: this.urls[options.via ?? "server"], name: options.name ?? name,
      reconnect: options.reconnect ?? false, reconnectTimeWait: 100, reconnectJitter: 0,
      maxReconnectAttempts: -1, timeout: options.timeout_ms ?? 5000, maxPingOut: options.ping_max ?? 2,
      pingInterval: options.ping_interval_ms ?? 120000, noEcho: options.echo === false,
      verbose: options.verbose ?? false, pedantic: options.pedantic ?? false,
      ignoreClusterUpdates: false,
    };
    for (const key of ["user", "pass", "token"]) if (key in options) settings[key] = options[key];
    if (options.inbox_prefix) settings.inboxPrefix = options.inbox_prefix;
    let nc;
    try {
      nc = await this.client.connect(settings);
    } catch (error) {
      return this.say(`${name} cannot connect: ${this.client.describe(error)}`);
    }
    const connection = { nc, cid: nc.info.client_id, errors: [], events: [], closed: undefined };
    this.connections.set(name, connection);
    nc.closed().then((error) => { connection.closed = error ? this.client.describe(error) : "no error"; });
    (async () => {
      for await (const event of nc.status()) {
        if (event.type === "error") connection.errors.push(this.client.describe_event(event));
        connection.events.push(event.type);
      }
    })().catch(() => {});
    if (options.say) this.say(`${name} connected`);
  }

  connection(name) {
    const found = this.connections.get(name);
    if (!found) throw new Error(`no connection ${name}`);
    return found;
  }

  async do_close(name) { await this.connection(name).nc.close(); }

  async do_drain(name) {
    await this.connection(name).nc.drain();
    this.say(`${name} drained`);
  }

  async do_flush(name) {
    const late = Symbol();
    const ended = await within(patience_ms, this.connection(name).nc.flush(), late);
    this.say(ended === late ? `${name} missing: pong` : `${name} flushed`);
  }

  async do_rtt(name) {
    const rtt = await this.connection(name).nc.rtt();
    this.say(`${name} rtt is ${rtt >= 0 && rtt < patience_ms ? "sensible" : rtt}`);
  }

  /// Two rounds: what the first makes visible may be answered before the second ends.
  async settle() {
    for (let round = 0; round < 2; ++round) {
      for (const { nc, closed } of this.connections.values()) {
        if (closed === undefined) await within(3000, nc.flush().catch(() => {}));
      }
    }
    await sleep(0);
  }

  async do_subscribe(name, label, subject, options = {}) {
    const { nc } = this.connection(name);
    const record = { messages: [], ended: undefined };
    const callback = (error, message) => {
      if (error) record.ended = this.client.describe(error);
      else record.messages.push(message);
      if (!error) this.answer(nc, message, options);
    };
    this.subscriptions.set(label, record);
    try {
      for (let index = 1; index <= (options.times ?? 1); ++index) {
        record.handle = nc.subscribe(subject.replace("#", index),
          { queue: options.queue, max: options.max, callback });
      }
      if (options.flush !== false) await within(3000, nc.flush().catch(() => {}));
    } catch (error) {
      this.say(`${label} refused by the client: ${this.client.describe(error)}`);
    }
  }

  answer(nc, message, options) {
    if (options.forward) {
      nc.publish(options.forward, message.data, { reply: message.reply });
    }
    if (options.reply === undefined || !message.reply) return;
    for (let index = 1; index <= (options.answers ?? 1); ++index) {
      const text = options.reply === "=" ? message.data : make_payload(options.reply, {}, index);
      nc.publish(message.reply, text, { headers: this.headers_of(options) });
    }
    if (options.sentinel) nc.publish(message.reply);
  }

  subscription(label) {
    const found = this.subscriptions.get(label);
    if (!found) throw new Error(`no subscription ${label}`);
    return found;
  }

  async do_unsubscribe(label, max) {
    this.subscription(label).handle.unsubscribe(max);
  }

  async do_drain_subscription(label) {
    await this.subscription(label).handle.drain();
    this.say(`${label} drained`);
  }

  headers_of(options) {
    if (!options.headers) return undefined;
    const headers = this.client.headers();
    for (const [key, value] of options.headers) headers.append(key, value);
    if (options.long_header) headers.append("Long", "v".repeat(options.long_header));
    return headers;
  }

  async do_publish(name, subject, payload = "", options = {}) {
    const { nc } = this.connection(name);
    for (let index = 1; index <= (options.times ?? 1); ++index) {
      try {
        nc.publish(subject.replace("#", index), make_payload(payload, options, index),
          { reply: options.reply, headers: this.headers_of(options) });
      } catch (error) {
        return this.say(`${name} publish refused by the client: ${this.client.describe(error)}`);
      }
    }
  }

  async do_request(name, subject, payload = "", options = {}) {
    try {
      const { nc } = this.connection(name);
      const answer = await nc.request(subject, make_payload(payload, options, 1), {
        timeout: options.timeout_ms ?? 5000, headers: this.headers_of(options),
        noMux: options.no_mux ?? false,
      });
      this.say(`${name} request ${subject}: ${show_message(answer)}`);
    } catch (error) {
      this.say(`${name} request ${subject}: ${this.client.describe(error)}`);
    }
  }

  async do_request_parallel(name, subject, count) {
    const { nc } = this.connection(name);
    const wanted = Array.from({ length: count }, (_, index) => String(index));
    const answers = await Promise.all(wanted.map((text) => nc.request(subject, text, { timeout: 5000 })));
    const right = answers.filter((answer, index) => answer.string() === wanted[index]).length;
    this.say(`${name} got ${right} of ${count} answers`);
  }

  async do_request_many(name, subject, payload, options) {
    const found = [];
    try {
      const answers = await this.connection(name).nc.requestMany(subject, payload, {
        strategy: options.until, maxWait: options.wait_ms ?? 5000, maxMessages: options.max,
        stall: options.stall_ms ?? 300, noMux: options.no_mux ?? false,
      });
      for await (const answer of answers) found.push(show_message(answer));
    } catch (error) {
      found.push(this.client.describe(error));
    }
    this.say(`${name} request many ${subject}: ${found.length} answers`);
    found.forEach((line) => this.say(`  ${line}`));
  }

  async do_wait_messages(label, count) {
    const { messages } = this.subscription(label);
    if (!await until(() => messages.length >= count)) {
      this.say(`${label} missing: only ${messages.length} of ${count} messages`);
    }
  }

  /// Options: `sorted`; `json` leaves the payload to the runner, which knows what in it is volatile.
  async do_messages(label, options = {}) {
    await this.settle();
    const record = this.subscription(label);
    const show = options.json ? (message) => `json ${message.string()}` : show_message;
    const shown = record.messages.map(show);
    if (options.sorted) shown.sort();
    this.say(`${label} got ${shown.length}`);
    shown.forEach((line) => this.say(`  ${line}`));
    record.messages.length = 0;
  }

  async do_count(label) {
    await this.settle();
    const { messages } = this.subscription(label);
    this.say(`${label} got ${messages.length}`);
    messages.length = 0;
  }

  async do_total(labels) {
    await this.settle();
    const counts = labels.map((label) => this.subscription(label).messages.length);
    this.say(`${labels.join("+")} got ${counts.reduce((sum, count) => sum + count)}`);
  }

  async do_order(label) {
    await this.settle();
    const numbers = this.subscription(label).messages.map((message) => Number(message.string()));
    const in_order = numbers.every((number, index) => index === 0 || number > numbers[index - 1]);
    this.say(`${label} got ${numbers.length} ${in_order ? "in order" : "out of order"}`);
  }

  async do_shares(labels, floor_percent) {
    await this.settle();
    const counts = labels.map((label) => this.subscription(label).messages.length);
    const payloads = labels.flatMap((label) => this.subscription(label).messages.map((m) => m.string()));
    const floor = payloads.length * floor_percent / 100;
    const fair = counts.every((count) => count >= floor);
    this.say(`${labels.join("+")} got ${payloads.length}, ${new Set(payloads).size} distinct, ` +
      (fair ? `everyone at least ${floor_percent} %` : `shares ${counts.join(" ")}`));
  }

  async do_ended(label) {
    await this.settle();
    const record = this.subscription(label);
    this.say(`${label} ${record.handle.isClosed() ? "closed" : "open"}: ${record.ended ?? "no error"}`);
  }

  async do_errors(name, count = 0) {
    const connection = this.connection(name);
    await this.settle();
    const all = await until(() => connection.errors.length >= count);
    await sleep(10);
    this.say(`${name} errors ${connection.errors.length}${all ? "" : ", some are missing"}`);
    connection.errors.splice(0).forEach((line) => this.say(`  ${line}`));
  }

  async do_wait_event(name, type) {
    const { events } = this.connection(name);
    const seen = await until(() => events.includes(type));
    this.say(seen ? `${name} saw ${type}` : `${name} missing: ${type}`);
  }

  async do_closed(name) {
    const connection = this.connection(name);
    const ended = await until(() => connection.closed !== undefined);
    this.say(ended ? `${name} closed: ${connection.closed}` : `${name} missing: close`);
  }

  async do_open(name) {
    await this.settle();
    this.say(`${name} is ${this.connection(name).nc.isClosed() ? "closed" : "open"}`);
  }

  async do_open_count(names, count) {
    const open = () => names.filter((name) => this.connection(name).closed === undefined).length;
    await until(() => open() === count);
    this.say(`${open()} of ${names.join("+")} open`);
  }

  async do_increasing_ids(names) {
    const ids = names.map((name) => this.connection(name).cid);
    this.say(`ids ${ids.every((id, index) => index === 0 || id > ids[index - 1]) ? "grow" : ids.join(" ")}`);
  }

  /// Publishes to a reader that does not read until the server gives it up.
  async do_publish_until_gone(name, subject, size, reader) {
    const { nc } = this.connection(name);
    for (let round = 0; round < 400; ++round) {
      for (let count = 0; count < 5; ++count) nc.publish(subject, new Uint8Array(size));
      await within(3000, nc.flush().catch(() => {}));
      if ((await this.remote("gone", [reader])).gone) {
        this.connection(reader).closed = "given up"; // It cannot know: what it is told stays in the relay.
        return this.say(`${reader} is gone`);
      }
    }
    this.say(`missing: ${reader} is still there`);
  }

  async do_info(name, fields, options = {}) {
    await this.settle();
    const info = this.connection(name).nc.info;
    for (const field of fields) {
      const value = info[field];
      const shown = options.types && value !== undefined ? typeof value : JSON.stringify(value) ?? "absent";
      this.say(`${name} info ${field}: ${shown}`);
    }
  }

  async do_pause(ms) { await sleep(ms); }
}

/// Plays all lanes that the runner hands out, some at a time; the behaviours of a lane share a server.
export async function run(client, control) {
  const { lanes, workers } = await (await fetch(control)).json();
  const work = async () => {
    for (let lane = lanes.shift(); lane; lane = lanes.shift()) {
      for (const behaviour of lane) {
        const outcome = await new scenario(client, control).play(behaviour);
        process.stdout.write(JSON.stringify({ id: behaviour.id, outcome }) + "\n");
      }
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  process.exit(0);
}
