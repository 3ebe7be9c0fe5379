"""cache/1: what every provider of Cache promises."""

from core_caps.capabilities.cache import Cache
from core_caps.claims.operation import spec_of
from core_caps.contract.result_cache import (
    arguments,
    clients,
    exercises,
    expiry,
    limits,
    model,
    values,
)
from core_caps.contract.suite import Contract

__all__ = ["CONTRACT"]

CONTRACT = Contract(
    protocol=Cache,
    spec=spec_of(Cache),
    cases=(
        *values.CASES,
        *expiry.CASES,
        *limits.CASES,
        *arguments.CASES,
        *clients.CASES,
    ),
    exercises=exercises.EXERCISES,
    generate=model.generate,
    model=model.CacheModel,
    read_back=model.read_back,
)
