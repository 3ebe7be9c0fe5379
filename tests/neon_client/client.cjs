// What Neon's own client gets from the server at ENDPOINT, as one line of JSON.
const { neon, neonConfig } = require('@neondatabase/serverless');

neonConfig.fetchEndpoint = () => process.env.ENDPOINT;
const sql = neon('postgresql://postgres:secret@localhost/postgres');
const failed = async (call) => {
  try {
    return { gave: await call() };
  } catch (error) {
    const { name, code, severity, detail, constraint, table, schema, position, message } = error;
    return { name, code, severity, detail, constraint, table, schema, position, message };
  }
};

(async () => {
  const said = {};
  await sql`DROP TABLE IF EXISTS visits`;
  await sql`CREATE TABLE visits (id int PRIMARY KEY, name text, at timestamptz)`;
  said.inserted = await sql`INSERT INTO visits VALUES (${1}, ${"it's"}, ${'2026-01-02T03:04:05Z'})
    RETURNING id, name, at`;
  said.typed = await sql`SELECT 1::int2 AS small, 2::int4 AS whole, 3::int8 AS big, 1.50::numeric AS
    exact, 0.5::float8 AS half, true AS yes, null AS nothing, '{"a":[1,"é"]}'::jsonb AS doc,
    ARRAY[1,2]::int4[] AS many, ARRAY['a b', null]::text[] AS texts, '\\x00ff'::bytea AS raw`;
  said.params = await sql.query('SELECT $1::int[] AS a, $2::jsonb AS b, $3::bool AS c, $4 AS d', [
    [1, null, 3], { k: ['v'] }, false, null,
  ]);
  said.arrays = await sql.query('SELECT id, name FROM visits', [], { arrayMode: true });
  said.full = await sql.query('UPDATE visits SET name = $1', ['x'], { fullResults: true });
  said.batch = await sql.transaction([
    sql`INSERT INTO visits (id, name) VALUES (2, 'b')`,
    sql`SELECT count(*)::int AS n FROM visits`,
    sql`SHOW transaction_isolation`,
  ], { isolationLevel: 'Serializable' });
  said.undone = await failed(() => sql.transaction([
    sql`INSERT INTO visits (id) VALUES (3)`,
    sql`INSERT INTO visits (id) VALUES (1)`,
  ]));
  said.readOnly = await failed(() => sql.transaction([sql`DELETE FROM visits`], { readOnly: true }));
  said.deferrable = await sql.transaction([sql`SHOW transaction_deferrable`], {
    isolationLevel: 'Serializable', readOnly: true, deferrable: true,
  });
  said.wrong = await failed(() => sql`SELEKT 1`);
  said.several = await failed(() => sql.query('SELECT 1; SELECT 2'));
  said.left = await sql`SELECT id FROM visits ORDER BY id`;
  console.log(JSON.stringify(said));
})();
