"""PostgreSQL, and Neon over HTTP: Sql and Dedupe (`remote`, `local`), and in memory (`mock`)."""
