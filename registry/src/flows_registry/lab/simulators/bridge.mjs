// The Worker inside the simulator: applies calls to its bindings and answers with typed values.
// A request holds calls of independent histories, so they run side by side; each answer stands
// at the place of its call. Values: $bytes (base64), $date (milliseconds), $object (R2),
// $stream (an argument), $headers (an argument), $map (an object with keys of that shape).
import { Buffer } from "node:buffer";
import { act, consume, isHall } from "./hall.mjs";

export default {
  async fetch(request, env) {
    if (request.headers.get("authorization") !== `Bearer ${env.BRIDGE_TOKEN}`) {
      return new Response("this Worker answers its own lab only", { status: 403 });
    }
    const calls = await request.json();
    return Response.json(await Promise.all(calls.map((call) => answer(env, call))));
  },
  queue: consume,
};

async function answer(env, { binding, method, args }) {
  try {
    const given = args.map(decode);
    if (isHall(env, binding)) return { ok: await encode(await act(env, binding, method, given)) };
    const target = env[binding];
    if (target === undefined) throw new Error(`no binding ${binding}`);
    if (method === "$purge") return { ok: await purge(target) };
    if (method === "$batch") return { ok: await batch(target, given) };
    return { ok: await encode(await target[method](...given)) };
  } catch (error) {
    return { error: { name: error.name ?? "Error", message: String(error.message ?? error) } };
  }
}

// Statements of a D1 database in one transaction, rows as lists: the binding's own batch gives
// objects, in which two columns of one name are one, and no columns where there are no rows.
async function batch(database, statements) {
  const queries = statements.map(([sql, params]) => ({ sql, params }));
  const answer = await database.fetcher.fetch("http://d1/query?resultsFormat=ROWS_AND_COLUMNS", {
    method: "POST",
    body: JSON.stringify(queries),
  });
  const text = await answer.text();
  if (!answer.ok) throw new TypeError(text.split("\n")[0]);
  const results = JSON.parse(text);
  if (results.success === false) throw new Error(results.error);
  return results.map(({ results: { columns, rows }, meta }) => [columns, rows, meta.changes]);
}

async function purgeDatabase(database) {
  const named = "SELECT type, name FROM sqlite_schema WHERE type IN ('view', 'table')";
  const [[, found]] = await batch(database, [[named, []]]);
  const own = found.filter(([, name]) => !/^(sqlite|_cf)_/.test(name));
  const drops = own.map(([type, name]) => [`DROP ${type} "${name.replaceAll('"', '""')}"`, []]);
  if (drops.length) await batch(database, [["PRAGMA defer_foreign_keys = on", []], ...drops]);
  return drops.length;
}

async function purge(target) {
  if (target.fetcher !== undefined) return purgeDatabase(target);
  let removed = 0;
  for (;;) {
    const page = await target.list();
    const names = (page.keys ?? page.objects).map((item) => item.name ?? item.key);
    if (names.length === 0) return removed;
    if (page.keys) await Promise.all(names.map((name) => target.delete(name)));
    else await target.delete(names);
    removed += names.length;
  }
}

async function encode(value) {
  if (value === undefined || value === null) return null;
  if (value instanceof ArrayBuffer) return { $bytes: Buffer.from(value).toString("base64") };
  if (value instanceof Date) return { $date: value.getTime() };
  if (Array.isArray(value)) return Promise.all(value.map(encode));
  if (value instanceof Map) return { $map: await encode([...value]) };
  if (typeof value !== "object") return value;
  if ("httpMetadata" in value && "etag" in value) return { $object: await encodeObject(value) };
  const entries = await Promise.all(
    Object.entries(value).map(async ([key, item]) => [key, await encode(item)]),
  );
  if (entries.some(([key]) => key.startsWith("$"))) return { $map: entries };
  return Object.fromEntries(entries);
}

async function encodeObject(object) {
  // A failed condition answers with the object and no body: `body` says which it was.
  const body = object.body ? await encode(await object.arrayBuffer()) : null;
  return {
    key: object.key,
    size: object.size,
    etag: object.etag,
    uploaded: object.uploaded?.getTime() ?? null,
    httpMetadata: await encode(object.httpMetadata ?? {}),
    customMetadata: { $map: Object.entries(object.customMetadata ?? {}) },
    range: object.range ? { ...object.range } : null,
    body,
  };
}

function decode(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(decode);
  if ("$bytes" in value) return new Uint8Array(Buffer.from(value.$bytes, "base64"));
  if ("$date" in value) return new Date(value.$date);
  if ("$headers" in value) return new Headers(value.$headers);
  if ("$map" in value) return Object.fromEntries(value.$map.map(([k, v]) => [k, decode(v)]));
  if ("$stream" in value) return decodeStream(value);
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, decode(v)]));
}

// R2 stores streams of known length only, so the length travels with the chunks; a stream that
// breaks fails after its chunks, as a caller's broken source would.
function decodeStream({ $stream: chunks, length, breaks }) {
  const sized = new FixedLengthStream(length);
  const writer = sized.writable.getWriter();
  const pump = async () => {
    for (const chunk of chunks) await writer.write(new Uint8Array(Buffer.from(chunk, "base64")));
    if (breaks) await writer.abort(new Error("the source of the stream failed"));
    else await writer.close();
  };
  pump().catch(() => {}); // the reader is told by the stream itself
  return sized.readable;
}
