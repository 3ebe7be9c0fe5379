"""Certification, whole: from a folder to a verdict a person can read."""
