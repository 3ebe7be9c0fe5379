"""The agent: what runs a plugin. Standard library only, loaded by path into the clean environment.

It imports nothing of the registry; besides the standard library it uses `core_caps`, which every
plugin's own environment holds.
"""
