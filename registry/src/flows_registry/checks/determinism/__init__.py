"""The determinism check: the same thing twice, with everything else changed."""
