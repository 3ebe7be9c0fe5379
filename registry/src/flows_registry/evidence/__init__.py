"""A certification as files that others can read, and back."""
