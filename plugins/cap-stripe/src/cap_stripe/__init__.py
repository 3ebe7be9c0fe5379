"""Stripe as a capability: `mock` in process, `remote` over the public API; the official SDK speaks
to both."""
