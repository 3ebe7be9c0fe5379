"""The cases of http/1, by what they are about."""
