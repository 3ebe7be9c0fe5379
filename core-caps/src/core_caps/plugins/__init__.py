"""How a plugin is found, opened and connected."""
