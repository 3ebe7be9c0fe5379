"""Cloudflare Durable Objects as a capability: `mock` in process, `remote` over a bridge Worker."""
