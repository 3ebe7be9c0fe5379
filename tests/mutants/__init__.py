"""Mutants of the certifier: each verdict path is broken once, and a test has to notice."""
