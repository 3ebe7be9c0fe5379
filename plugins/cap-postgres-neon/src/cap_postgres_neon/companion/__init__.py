"""The companion: a server of Neon's HTTP protocol on any PostgreSQL, for work without Neon."""
