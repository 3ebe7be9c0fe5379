"""Cloudflare Workers KV as a capability."""
