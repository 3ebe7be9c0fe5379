"""The contract check: every promise of the suite, and every operation under every fault."""
