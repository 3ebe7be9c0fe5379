"""Cloudflare R2 as a capability."""
