"""The embedded default: capabilities on SQLite and files (`local`), and in memory (`mock`)."""
