"""The checks: each reads what the lab made or saw, and returns results."""
