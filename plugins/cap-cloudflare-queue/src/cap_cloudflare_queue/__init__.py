"""Cloudflare Queues as a capability: `mock` in process, `remote` over the public REST API."""
