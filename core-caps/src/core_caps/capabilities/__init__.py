"""The domain protocols, one file each. Nobody inherits from them; providers just fit."""
