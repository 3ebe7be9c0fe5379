"""A plugin that does whatever a test of the lab asks of it."""
