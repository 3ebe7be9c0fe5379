"""The injection check: duplicates, reordering and lost answers against a sequential model."""
