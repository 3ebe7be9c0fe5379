"""What a plugin brings beside its backends, asked in a process of the plugin's own environment."""
