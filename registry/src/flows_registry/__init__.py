"""The registry of capability plugins: who may be trusted."""
