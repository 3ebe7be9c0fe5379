// Runs one miniflare: reads its configuration from the first line of standard input, prints one
// JSON line when it is ready, then answers each further line (calls for the bridge) with one line.
// The end of standard input is the end of it all, so it cannot outlive the process that started it.
import { createRequire } from "node:module";
import { rmSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
console.log = console.info = console.debug = (...words) => console.error(...words);

const lines = createInterface({ input: process.stdin, crlfDelay: Infinity })[
  Symbol.asyncIterator
]();
const config = JSON.parse((await lines.next()).value);
const load = createRequire(`${config.root}/package.json`);
const { Miniflare, NoOpLog, Response } = load("miniflare");
const { version } = load("miniflare/package.json");

const buckets = config.r2.map((id) => [
  id,
  config.s3 === null ? id : { id, s3Credentials: config.s3 },
]);
const queues = config.queues.map(({ name, shards }) => ({
  name,
  places: ["limbo", ...Array(shards).keys()].map((place) => `${name}/${place}`),
}));
const consumed = config.queues.flatMap(({ name, max_retries: maxRetries }, at) => [
  ...queues[at].places.map((place) => [place, { maxRetries, deadLetterQueue: `${name}/dead` }]),
  [`${name}/dead`, {}],
]);
const halls = config.queues.map(({ name, shards, max_retries: maxRetries }) => [
  name,
  { shards, maxRetries },
]);
// A Worker of a plugin's own stands beside the bridge, on a port of its own.
const deployed = (worker) => ({
  name: "deployed",
  compatibilityDate: worker.compatibility_date,
  compatibilityFlags: worker.compatibility_flags,
  modules: [{ type: "ESModule", path: worker.main, contents: worker.source }],
  bindings: worker.secrets,
  durableObjects: Object.fromEntries(
    Object.entries(worker.objects).map(([binding, className]) => [
      binding,
      { className, useSQLite: true },
    ]),
  ),
  unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
});
let simulator;

async function end(status) {
  try {
    await simulator?.dispose();
  } finally {
    rmSync(config.scratch, { recursive: true, force: true });
    process.exit(status);
  }
}
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => end(0));

try {
  const bridge = {
    name: "bridge",
    compatibilityDate: config.compatibility_date,
    compatibilityFlags: ["nodejs_compat"],
    modules: [
      { type: "ESModule", path: "bridge.mjs", contents: readFileSync(config.bridge, "utf8") },
      { type: "ESModule", path: "hall.mjs", contents: readFileSync(config.hall, "utf8") },
    ],
    bindings: { BRIDGE_TOKEN: config.token, HALLS: Object.fromEntries(halls) },
    kvNamespaces: config.kv,
    d1Databases: config.d1,
    r2Buckets: Object.fromEntries(buckets),
    queueProducers: Object.fromEntries(
      queues.flatMap(({ places }) => places.map((place) => [place, place])),
    ),
    queueConsumers: Object.fromEntries(
      consumed.map(([place, more]) => [place, { maxBatchSize: 1, maxBatchTimeout: 0, ...more }]),
    ),
    outboundService: () => new Response("the simulator has no network", { status: 502 }),
  };
  simulator = new Miniflare({
    host: "127.0.0.1",
    port: config.port,
    cf: false, // neither read from nor written to a file, and not fetched
    telemetry: { enabled: false },
    log: new NoOpLog(),
    unsafeLocalExplorer: false,
    workers: config.worker === null ? [bridge] : [bridge, deployed(config.worker)],
  });
  const url = await simulator.ready;
  const own = config.worker === null ? null : await simulator.unsafeGetDirectURL("deployed");
  say({ ready: url.href, version, deployed: own === null ? null : own.href });
} catch (error) {
  say({ failed: String(error?.stack ?? error) });
  await end(1);
}

for (let next = await lines.next(); !next.done; next = await lines.next()) {
  try {
    const answer = await simulator.dispatchFetch("http://bridge/", {
      method: "POST",
      body: next.value,
      headers: { authorization: `Bearer ${config.token}` },
    });
    const text = await answer.text();
    if (answer.status === 200) process.stdout.write(`${text}\n`);
    else say({ failed: `the bridge answered ${answer.status}: ${text.slice(0, 300)}` });
  } catch (error) {
    say({ failed: String(error?.stack ?? error) });
  }
}
await end(0);
