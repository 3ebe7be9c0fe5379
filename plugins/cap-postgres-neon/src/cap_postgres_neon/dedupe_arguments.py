"""What Dedupe is called with here: the checks that every backend makes."""

from core_caps.capabilities.dedupe_arguments import Arguments

__all__ = ["ARGUMENTS", "BATCH_KEYS_MAX"]

BATCH_KEYS_MAX = 10_000
"""Keys of one transaction; others wait for it."""

ARGUMENTS = Arguments(batch_keys_max=BATCH_KEYS_MAX)
