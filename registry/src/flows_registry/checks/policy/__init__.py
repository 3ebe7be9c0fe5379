"""What a plugin asks for and lets be seen, against what it needs and what is allowed."""
