"""Cloudflare D1 as a capability: `mock` in process, `remote` over the public REST API."""
