"""What calls cost, against what a plugin estimates and what an organisation lets them cost."""
