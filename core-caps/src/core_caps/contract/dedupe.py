"""dedupe/1: what every provider of Dedupe promises."""

from core_caps.capabilities.dedupe import Dedupe
from core_caps.claims.operation import spec_of
from core_caps.contract.suite import Contract

__all__ = ["CONTRACT"]

CONTRACT = Contract(protocol=Dedupe, spec=spec_of(Dedupe), cases=(), exercises=())
