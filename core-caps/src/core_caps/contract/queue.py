"""queue/1: what every provider of Queue promises."""

from core_caps.capabilities.queue import Queue
from core_caps.claims.operation import spec_of
from core_caps.contract.suite import Contract

__all__ = ["CONTRACT"]

CONTRACT = Contract(protocol=Queue, spec=spec_of(Queue), cases=(), exercises=())
