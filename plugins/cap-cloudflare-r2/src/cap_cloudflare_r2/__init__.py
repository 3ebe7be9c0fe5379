"""Cloudflare R2 as a capability: `BlobStore`, with the backends `mock` and `remote`."""
