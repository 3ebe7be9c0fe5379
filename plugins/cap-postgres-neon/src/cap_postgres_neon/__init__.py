"""Sql and Dedupe on PostgreSQL: `remote`, `tcp` and `local`; and in memory: `mock`."""
