"""Stripe in this process: an account as a state machine behind HTTP requests, with the vendor's
rules, idempotency and webhooks."""
