"""The vendors' own simulators, run offline: what a mock is compared with."""
