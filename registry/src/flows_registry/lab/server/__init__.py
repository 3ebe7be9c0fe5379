"""The fault server, seen from inside: a process of its own in each room."""
