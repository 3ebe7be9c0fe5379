"""Ledger, a new capability, and Acme's service that provides it."""
