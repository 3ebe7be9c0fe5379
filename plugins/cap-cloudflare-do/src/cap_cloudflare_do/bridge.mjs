// The bridge: a Worker that lets its owner reach Durable Objects over HTTPS.
//
// POST /v1/OPERATION with `Authorization: Bearer TOKEN` and a JSON object; README.md has the table.
// One request is one turn of one object: it is applied whole, or not at all. Bytes are base64.
import { Buffer } from "node:buffer";
import { DurableObject } from "cloudflare:workers";

const PAGE_BYTES_MAX = 4_000_000; // values of a page; a larger one makes a page of its own
const ANSWER_BYTES_MAX = 16_000_000;
const KEYS_MAX = 128;
const BATCH_MAX = 1000;
const LIST_LIMIT_MAX = 1000;
const KEY_BYTES_MAX = 2048;
const TIME_MS_MAX = 8.64e15;
const ABANDONED_MS = 86_400_000; // so long after its lease a key is remembered
const SWEPT = 100; // forgotten rows that a turn removes in any case

class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    Object.assign(this, { status, code });
  }
}

const invalid = (message) => new Refused(400, "invalid_argument", message);

export default {
  async fetch(request, env) {
    try {
      return Response.json({ result: await answer(request, env) });
    } catch (error) {
      const { status, code, message } = explained(error);
      return Response.json({ error: { code, message } }, { status });
    }
  },
};

async function answer(request, env) {
  const operation = /^\/v1\/([a-z_]+)$/.exec(new URL(request.url).pathname)?.[1];
  const home = HOMES.get(operation);
  if (home === undefined) throw new Refused(404, "no_such_operation", "this is cap-cloudflare-do's bridge");
  if (!(await allowed(request, env))) throw new Refused(401, "unauthenticated", "the token is not accepted");
  if (request.method !== "POST") throw new Refused(405, "no_such_method", "operations are POSTed");
  const given = await content(request);
  if (operation === "new_id") return { id: env.OBJECTS.newUniqueId().toString() };
  const said = await stub(env[home], given.object).turn(operation, given);
  if (said.refused) throw new Refused(...said.refused);
  return said.result;
}

// Digests are compared, so that neither the time nor the length tells anything of the token.
async function allowed(request, env) {
  const [scheme, token] = (request.headers.get("authorization") ?? "").split(" ");
  if (!env.BRIDGE_TOKEN || scheme.toLowerCase() !== "bearer" || !token) return false;
  const digest = (text) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return crypto.subtle.timingSafeEqual(await digest(token), await digest(env.BRIDGE_TOKEN));
}

async function content(request) {
  let given;
  try {
    given = await request.json();
  } catch {
    throw invalid("the body is no JSON");
  }
  if (given === null || typeof given !== "object" || Array.isArray(given)) throw invalid("the body is no object");
  return given;
}

function stub(namespace, object) {
  const { name, id } = object ?? {};
  if (text(name) && id === undefined) return namespace.get(namespace.idFromName(name));
  if (!text(id) || name !== undefined) throw invalid("object has a name or an id");
  try {
    return namespace.get(namespace.idFromString(id));
  } catch (error) {
    throw invalid(`the id is none of this namespace's: ${error.message}`);
  }
}

function explained(error) {
  if (error instanceof Refused) return error;
  const message = String(error?.message ?? error).slice(0, 300);
  if (error?.overloaded) return { status: 503, code: "overloaded", message };
  if (error?.retryable) return { status: 503, code: "unavailable", message };
  return { status: 500, code: "internal", message };
}

// An object of either class: `turn` runs one operation and tells a refusal as a value.
class Turns extends DurableObject {
  turn(operation, given) {
    try {
      return { result: this.ctx.storage.transactionSync(() => this[operation](given)) ?? null };
    } catch (error) {
      if (error instanceof Refused) return { refused: [error.status, error.code, error.message] };
      if (error instanceof TypeError || error instanceof RangeError) {
        return { refused: [400, "invalid_argument", error.message] };
      }
      throw error;
    }
  }
}

export class StorageObject extends Turns {
  // Everything goes in one step of the runtime's own, which also gives the object's room back.
  async turn(operation, given) {
    if (operation !== "delete_all") return super.turn(operation, given);
    this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
    return { result: null };
  }

  get({ key }) {
    return encoded(this.ctx.storage.kv.get(checkedKey(key)));
  }

  get_many({ keys }) {
    const values = list(keys, KEYS_MAX).map((key) => this.ctx.storage.kv.get(checkedKey(key)));
    answerable(values);
    return values.map(encoded);
  }

  list({ prefix = "", start, start_after, end, limit = 100, reverse = false }) {
    if (!Number.isInteger(limit) || limit < 1 || limit > LIST_LIMIT_MAX) throw invalid("limit is out of range");
    if (end === "") return { items: [], more: false };
    const bounds = { prefix, start, startAfter: start_after, end };
    if (!Object.values(bounds).every((bound) => (bound ?? "") === "" || text(bound))) throw invalid("a bound is text");
    const given = Object.entries(bounds).filter(([, bound]) => bound !== undefined && bound !== null && bound !== "");
    const options = { ...Object.fromEntries(given), limit: limit + 1, reverse };
    const items = [];
    let bytes = 0;
    for (const [key, value] of this.ctx.storage.kv.list(options)) {
      bytes += value.byteLength;
      if (items.length === limit || (items.length > 0 && bytes > PAGE_BYTES_MAX)) return { items, more: true };
      items.push([key, encoded(value)]);
    }
    return { items, more: false };
  }

  get_alarm() {
    const at = this.alarmAt();
    return at === null ? null : { at_ms: at, rang: at <= Date.now() };
  }

  put({ key, value }) {
    this.ctx.storage.kv.put(checkedKey(key), decoded(value));
  }

  delete({ key }) {
    this.ctx.storage.kv.delete(checkedKey(key));
  }

  transaction({ changes, if_values = [] }) {
    const wanted = pairs(changes, KEYS_MAX);
    const differing = pairs(if_values ?? [], KEYS_MAX).filter(([key, value]) => !this.holds(key, value));
    if (differing.length > 0) {
      const named = JSON.stringify(differing[0][0].slice(0, 80));
      throw new Refused(412, "precondition_failed", `${differing.length} keys are not as expected, ${named} among them`);
    }
    for (const [key, value] of wanted) {
      if (value === null) this.ctx.storage.kv.delete(key);
      else this.ctx.storage.kv.put(key, value);
    }
  }

  set_alarm({ at_ms }) {
    if (!Number.isInteger(at_ms) || at_ms < 1 || at_ms > TIME_MS_MAX) throw invalid("at_ms is no time");
    this.setAlarm(at_ms);
  }

  delete_alarm({ at_ms = null }) {
    if (at_ms === null || at_ms === this.alarmAt()) this.setAlarm(null);
  }

  // The runtime calls it at least once, and again where it throws. The alarm stays until it is deleted.
  async alarm() {
    const at = this.alarmAt();
    if (at === null || this.env.ALARMS === undefined) return;
    const { name } = this.ctx.id;
    await this.env.ALARMS.send({ object: { id: this.ctx.id.toString(), ...(name && { name }) }, at_ms: at });
  }

  holds(key, value) {
    const found = this.ctx.storage.kv.get(key);
    if (found === undefined || value === null) return found === undefined && value === null;
    return Buffer.compare(found, value) === 0;
  }

  alarmAt() {
    const { sql } = this.ctx.storage;
    sql.exec("CREATE TABLE IF NOT EXISTS bridge_alarm (one INTEGER PRIMARY KEY CHECK (one = 1), at_ms INTEGER NOT NULL)");
    return sql.exec("SELECT at_ms FROM bridge_alarm").toArray()[0]?.at_ms ?? null;
  }

  setAlarm(at) {
    this.alarmAt();
    this.ctx.storage.sql.exec("DELETE FROM bridge_alarm");
    if (at !== null) this.ctx.storage.sql.exec("INSERT INTO bridge_alarm VALUES (1, ?)", at);
    // Part of this turn as the rows are: what is written without an await between is one commit.
    if (at !== null) this.ctx.storage.setAlarm(at);
    else this.ctx.storage.deleteAlarm();
  }
}

export class LedgerObject extends Turns {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec(`
      CREATE TABLE IF NOT EXISTS work (key TEXT NOT NULL UNIQUE, owner TEXT NOT NULL,
        payload TEXT NOT NULL, until REAL NOT NULL, forget_at REAL NOT NULL, result BLOB);
      CREATE INDEX IF NOT EXISTS forgetting ON work (forget_at);
      CREATE TABLE IF NOT EXISTS entries (sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL UNIQUE, digest TEXT NOT NULL, first_seen_ms INTEGER NOT NULL);
    `);
  }

  reserve_many({ reservations, owner, lease_seconds }) {
    const now = Date.now() / 1000;
    const until = now + seconds(lease_seconds);
    const asked = pairs(reservations, BATCH_MAX, textOf);
    if (!text(owner)) throw invalid("owner is no text");
    this.sweep(now, SWEPT + 2 * asked.length);
    const known = new Map(asked.map(([key]) => [key, this.known(key, now)]));
    const colliding = asked.filter(([key, payload]) => collides(known.get(key), payload));
    if (colliding.length > 0) return { colliding: colliding.map(([key]) => key) };
    answerable([...known.values()].map((held) => held?.result));
    return { answers: asked.map(([key, payload]) => this.taken(key, payload, known.get(key), owner, now, until)) };
  }

  commit_many({ commits, owner, ttl_seconds }) {
    const now = Date.now() / 1000;
    const until = now + seconds(ttl_seconds);
    const results = pairs(commits, BATCH_MAX);
    const lost = results.filter(([key, result]) => !this.mayCommit(key, result, owner, now));
    if (lost.length > 0) return { lost: lost.map(([key]) => key) };
    for (const [key, result] of results) {
      this.sql("UPDATE work SET result = ?, until = ?, forget_at = ? WHERE key = ?", result, until, until, key);
    }
    return { lost: [] };
  }

  release_many({ keys, owner }) {
    for (const key of list(keys, BATCH_MAX)) {
      this.sql("DELETE FROM work WHERE key = ? AND owner = ? AND result IS NULL", checkedKey(key), owner);
    }
  }

  append({ key, digest }) {
    if (!text(digest)) throw invalid("digest is no text");
    const known = this.sql("SELECT * FROM entries WHERE key = ?", checkedKey(key))[0];
    if (known !== undefined && known.digest !== digest) return { colliding: [key] };
    const entry = known ?? this.inserted(key, digest);
    return { inserted: known === undefined, sequence: entry.sequence, first_seen_ms: entry.first_seen_ms };
  }

  inserted(key, digest) {
    const last = this.sql("SELECT max(first_seen_ms) AS at FROM entries")[0].at ?? 0;
    const now = Math.max(Date.now(), last); // the order is that of the numbers, whatever the clock does
    return this.sql("INSERT INTO entries (key, digest, first_seen_ms) VALUES (?, ?, ?) RETURNING *", key, digest, now)[0];
  }

  known(key, now) {
    const held = this.sql("SELECT * FROM work WHERE key = ?", key)[0];
    return held === undefined || (held.result !== null && held.until <= now) ? undefined : held;
  }

  taken(key, payload, held, owner, now, until) {
    if (held !== undefined && held.result !== null) return ["done", encoded(held.result)];
    if (held !== undefined && held.owner !== owner && now < held.until) return ["in_progress", held.until];
    this.sql(
      "INSERT OR REPLACE INTO work (key, owner, payload, until, forget_at) VALUES (?, ?, ?, ?, ?)",
      key, owner, (held?.payload ?? "") || payload, until, until + ABANDONED_MS / 1000,
    );
    return ["fresh"];
  }

  mayCommit(key, result, owner, now) {
    const held = this.known(key, now);
    if (held === undefined || held.owner !== owner) return false;
    return held.result === null || Buffer.compare(new Uint8Array(held.result), result) === 0;
  }

  sweep(now, most) {
    this.sql("DELETE FROM work WHERE rowid IN (SELECT rowid FROM work WHERE forget_at <= ? ORDER BY forget_at LIMIT ?)", now, most);
  }

  sql(statement, ...given) {
    return this.ctx.storage.sql.exec(statement, ...given).toArray();
  }
}

const collides = (held, payload) => held !== undefined && payload !== "" && held.payload !== "" && held.payload !== payload;
const text = (given) => typeof given === "string" && given !== "";
const encoded = (value) => (value === undefined ? null : Buffer.from(value).toString("base64"));

function answerable(values) {
  const bytes = values.reduce((sum, value) => sum + (value?.byteLength ?? 0), 0);
  if (bytes > ANSWER_BYTES_MAX) throw invalid(`the values have ${bytes} bytes; ask for fewer keys`);
}

function textOf(given) {
  if (typeof given !== "string") throw invalid("what is base64 is text");
  return given;
}

function decoded(given) {
  try {
    return Uint8Array.fromBase64(textOf(given), { lastChunkHandling: "strict" });
  } catch (error) {
    throw error instanceof Refused ? error : invalid("a value is no base64");
  }
}

function checkedKey(given) {
  if (!text(given) || Buffer.byteLength(given) > KEY_BYTES_MAX) throw invalid(`a key has 1 to ${KEY_BYTES_MAX} bytes`);
  return given;
}

function seconds(given) {
  if (typeof given !== "number" || !(given > 0)) throw invalid("seconds are above 0");
  return given;
}

function list(given, most) {
  if (!Array.isArray(given) || given.length > most) throw invalid(`a list has at most ${most} items`);
  return given;
}

function pairs(given, most, valueOf = (value) => (value === null ? null : decoded(value))) {
  const found = list(given, most).map((pair) => [checkedKey(pair?.[0]), valueOf(pair[1])]);
  if (new Set(found.map(([key]) => key)).size < found.length) throw invalid("a key is given twice");
  return found;
}

const HOMES = new Map([
  ...["get", "get_many", "list", "get_alarm", "put", "delete", "delete_all"].map((name) => [name, "OBJECTS"]),
  ...["transaction", "set_alarm", "delete_alarm", "new_id"].map((name) => [name, "OBJECTS"]),
  ...["reserve_many", "commit_many", "release_many", "append"].map((name) => [name, "LEDGERS"]),
]);
