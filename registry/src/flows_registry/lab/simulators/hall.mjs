// A pull consumer made of push consumers: every message waits in a hall until somebody has pulled
// it and says what becomes of it. Queue NAME is many queues, NAME/0, NAME/1, …, so that a message
// that is held up holds up no other; NAME/limbo proves batches, NAME/dead gets what is given up.
// Calls: $send, $send_batch, $pull, $settle, $dead, $purge.
const halls = new Map();
const PATIENCE_MS = 2000; // how long a pull waits for what must come
const PURGED_MS = 5; // a message that was sent before a purge is older than that

function hallOf(env, name) {
  if (!halls.has(name)) {
    const { shards, maxRetries } = env.HALLS[name];
    const empty = { offers: new Map(), dead: [], due: 0, next: 0, since: 0 };
    halls.set(name, { ...empty, name, shards, maxRetries });
  }
  return halls.get(name);
}

export const isHall = (env, name) => env.HALLS?.[name] !== undefined;

export async function consume(batch, env) {
  const [name, place] = batch.queue.split("/");
  const hall = hallOf(env, name);
  for (const message of batch.messages) {
    if (place === "limbo" || message.timestamp.getTime() < hall.since) message.ack();
    else if (place === "dead") hall.dead.push({ ...shown(message) }), message.ack();
    else await decided(hall, message);
  }
}

async function decided(hall, message) {
  const lease = `${message.id}/${message.attempts}`;
  const offer = { ...shown(message), lease, pulled: false, fate: null };
  const since = hall.since;
  hall.offers.set(lease, offer);
  hall.due -= 1;
  while (offer.fate === null && hall.since === since) await scheduler.wait(1);
  if (offer.fate?.retry) message.retry(offer.fate.options);
  else message.ack();
}

const shown = (message) => ({
  id: message.id,
  body: message.body,
  attempts: message.attempts,
  timestamp: message.timestamp,
});

export async function act(env, name, method, [given, options]) {
  const hall = hallOf(env, name);
  if (method === "$send") return send(env, hall, given, options);
  if (method === "$send_batch") return sendBatch(env, hall, given);
  if (method === "$pull") return pull(hall, given);
  if (method === "$settle") return settle(hall, given, options);
  if (method === "$dead") return dead(hall, given);
  if (method === "$purge") return purge(hall);
  throw new Error(`no ${method} in a hall`);
}

async function send(env, hall, body, options) {
  const shard = hall.next++ % hall.shards;
  await env[`${hall.name}/${shard}`].send(body, options);
  if (!options.delaySeconds) hall.due += 1;
}

async function sendBatch(env, hall, messages) {
  await env[`${hall.name}/limbo`].sendBatch(messages); // throws what the service refuses
  for (const { body, ...options } of messages) await send(env, hall, body, options);
}

async function pull(hall, limit) {
  for (let waited = 0; hall.due > 0 && waited < PATIENCE_MS; waited++) await scheduler.wait(1);
  const found = [...hall.offers.values()].filter((offer) => !offer.pulled).slice(0, limit);
  return found.map((offer) => {
    offer.pulled = true;
    const { id, body, attempts, timestamp, lease } = offer;
    return { id, body, attempts, timestamp, lease };
  });
}

const settle = (hall, leases, fate) => leases.filter((lease) => !settled(hall, lease, fate));

function settled(hall, lease, fate) {
  const offer = hall.offers.get(lease);
  if (!offer?.pulled) return false;
  hall.offers.delete(lease);
  const again = fate.retry && offer.attempts <= hall.maxRetries;
  if (again && !fate.options?.delaySeconds) hall.due += 1;
  offer.fate = fate;
  return true;
}

async function dead(hall, count) {
  for (let waited = 0; hall.dead.length < count && waited < PATIENCE_MS; waited++) {
    await scheduler.wait(1);
  }
  return hall.dead;
}

async function purge(hall) {
  await scheduler.wait(PURGED_MS);
  const removed = hall.offers.size;
  Object.assign(hall, { offers: new Map(), dead: [], due: 0, next: 0, since: Date.now() });
  return removed;
}
