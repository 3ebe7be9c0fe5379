"""The domain protocols, one file each. Nobody inherits from them; providers just fit."""

from core_caps.capabilities.known import KNOWN, Known, spec_for

__all__ = ["KNOWN", "Known", "spec_for"]
