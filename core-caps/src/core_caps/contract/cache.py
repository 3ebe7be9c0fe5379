"""cache/1: what every provider of Cache promises."""

from core_caps.capabilities.cache import Cache
from core_caps.claims.operation import spec_of
from core_caps.contract.suite import Contract

__all__ = ["CONTRACT"]

CONTRACT = Contract(protocol=Cache, spec=spec_of(Cache), cases=(), exercises=())
